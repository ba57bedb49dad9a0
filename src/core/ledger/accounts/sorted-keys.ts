/**
 * A set of texts in order, as plain data: adding, removing and finding a place take time that hardly
 * grows with the number of texts.
 */
import { present } from '../../base/errors.ts'

/** Texts ascending, in pieces of bounded length; no piece is empty. */
export type SortedKeys = string[][]

const PIECE_MAX = 512

/** A key that is there already stays once. */
export function addKey(keys: SortedKeys, key: string): void {
  const place = pieceOf(keys, key)
  const piece = keys[place]
  if (piece === undefined) {
    keys.push([key])
    return
  }
  const at = placeIn(piece, key)
  if (piece[at] === key) return
  piece.splice(at, 0, key)
  if (piece.length > PIECE_MAX) keys.splice(place + 1, 0, piece.splice(PIECE_MAX >> 1))
}

export function removeKey(keys: SortedKeys, key: string): void {
  const place = pieceOf(keys, key)
  const piece = keys[place]
  const at = piece === undefined ? 0 : placeIn(piece, key)
  if (piece?.[at] !== key) return
  piece.splice(at, 1)
  if (piece.length === 0) keys.splice(place, 1)
}

/** Ascending from `start` on, itself included if it is there. */
export function* keysFrom(
  keys: readonly (readonly string[])[],
  start: string,
): Generator<string, void> {
  const first = pieceOf(keys, start)
  for (let place = first; place < keys.length; place++) {
    const piece = present(keys[place], 'a place within the pieces')
    for (let at = place === first ? placeIn(piece, start) : 0; at < piece.length; at++)
      yield present(piece[at], 'a place within a piece')
  }
}

/** The last piece that begins at or before `key`: where it is, or would be put. */
function pieceOf(keys: readonly (readonly string[])[], key: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle]?.[0] ?? key) <= key) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

/** How many texts of a piece come before `key`. */
function placeIn(piece: readonly string[], key: string): number {
  let [low, high] = [0, piece.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((piece[middle] ?? key) < key) low = middle + 1
    else high = middle
  }
  return low
}
