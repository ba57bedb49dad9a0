/** The words of a list that somebody may have meant: fewest letters changed, added or left out. */

const DISTANCE_MAX = 2
/** Longer input is no word with a slip of the finger, and is not compared. */
const WORD_LENGTH_MAX = 16

/** At most `countMax` words at a distance of at most 2, the nearest first. */
export function nearestWords(
  word: string,
  list: readonly string[],
  countMax: number,
): readonly string[] {
  if (word.length > WORD_LENGTH_MAX) return []
  return list
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .filter(({ distance }) => distance <= DISTANCE_MAX)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, countMax)
    .map(({ candidate }) => candidate)
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
