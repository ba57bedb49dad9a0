/** Long lines broken between words, with what follows under the text. Implements cli §3.5 (width). */
import type { Terminal } from './terminal.ts'

/** Prints `head`, then `text` beside it: broken on a terminal, whole elsewhere. */
export function printHanging(
  { answer, width }: Pick<Terminal, 'answer' | 'width'>,
  head: string,
  text: string,
): void {
  const indent = ' '.repeat([...head].length)
  const lines = width === undefined ? [text] : wrapped(text, Math.max(1, width - indent.length))
  for (const [place, line] of lines.entries()) answer(`${place === 0 ? head : indent}${line}`)
}

/** Lines of at most `size` letters; a word that is longer has a line of its own. */
export function wrapped(text: string, size: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && [...longer].length > size) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}
