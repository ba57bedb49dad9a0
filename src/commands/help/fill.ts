/** Text in lines that fit 80 columns. Source: `docs/spec/cli.md` §9. */

export const LINE_WIDTH = 79

/** Words in lines of at most `width`; a longer word has a line of its own. */
export function filled(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Paragraphs anew in lines that fit; lines that begin with a space stay as they are. */
export function filledParagraphs(text: string): string {
  const lines: string[] = []
  let words: string[] = []
  const flush = (): void => {
    lines.push(...filled(words, LINE_WIDTH))
    words = []
  }
  for (const line of text.split('\n')) {
    if (line !== '' && !line.startsWith(' ')) {
      words.push(...line.split(' '))
      continue
    }
    flush()
    lines.push(line)
  }
  flush()
  return lines.join('\n')
}

export type Row = readonly [left: string, right: string]

const LEFT_WIDTH_MAX = 34
/** A right side is not made narrower than this; what is too wide goes below its left side. */
const RIGHT_WIDTH_MIN = 36

/** Two columns; a left side that is too wide pushes its right side to the next line. */
export function twoColumns(rows: readonly Row[]): readonly string[] {
  const widths = rows.map(([left]) => left.length).filter((width) => width <= LEFT_WIDTH_MAX)
  const width = Math.max(0, ...widths)
  const rightWidth = Math.max(RIGHT_WIDTH_MIN, LINE_WIDTH - width - 4)
  return rows.flatMap(([left, right]) => {
    const [first = '', ...more] = filled(right.split(' '), rightWidth)
    const below = (line: string): string => `  ${' '.repeat(width)}  ${line}`
    return left.length > width
      ? [...folded(left), ...[first, ...more].map(below)]
      : [`  ${left.padEnd(width)}  ${first}`, ...more.map(below)]
  })
}

/** A command that is too long for a line goes on in the next, as a shell has it. */
function folded(command: string): readonly string[] {
  const lines = filled(command.split(' '), LINE_WIDTH - 6)
  return lines.map((line, index) => {
    const indent = index === 0 ? '  ' : '    '
    return `${indent}${line}${index === lines.length - 1 ? '' : ' \\'}`
  })
}
