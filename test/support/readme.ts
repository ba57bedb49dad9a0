/** Reads what a document promises: commands with the output that follows, and files it shows. */

export type Shown = {
  readonly command: string
  /** Line of the command in the document, from 1. */
  readonly line: number
  /** Lines of either stream; of those left out nothing is said. */
  readonly output: readonly string[]
}

const LEFT_OUT = '  …'

/** Commands of every block of the language `console`. */
export function shownCommands(document: string): readonly Shown[] {
  const shown: { command: string; line: number; output: string[] }[] = []
  let isInside = false
  for (const [index, row] of document.split('\n').entries()) {
    if (row.startsWith('```')) isInside = row === '```console'
    else if (!isInside) continue
    else if (row.startsWith('$ '))
      shown.push({ command: row.slice(2), line: index + 1, output: [] })
    else if (row.trim() !== '' && row !== LEFT_OUT) shown.at(-1)?.output.push(row)
  }
  return shown
}

/** Programs whose first line, a remark, is the name of their file. */
export function shownFiles(document: string): readonly { name: string; text: string }[] {
  return [...document.matchAll(/^```js\n\/\/ (\S+)\n(.*?)^```$/gms)].map(
    ([, name = '', text = '']) => ({ name, text }),
  )
}

const words: readonly (readonly [RegExp, string])[] = [
  [/\bop_[0-9A-Z]{10}\b/g, '<operation>'],
  [/\b[0-9a-f]{8}…[0-9a-f]{8}\b|\b[0-9a-f]{64}\b/g, '<transaction>'],
  [/\b[a-z2-7]{5}(?:-[a-z2-7]{5}){9}-[a-z2-7]{3}\b/g, '<principal>'],
  [/\bbcrt1[02-9ac-hj-np-z]+/g, '<address>'],
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d\b/g, '<time>'],
  [/127\.0\.0\.1:\d+/g, '<endpoint>'],
  [/\b\d+\.\d s\b/g, '<seconds>'],
  [/\bheight \d+/g, '<height>'],
  // Which of them a client sees on the way is chance.
  [/\b\d+\/(\d+) confirmations\b/g, '<some>/$1 confirmations'],
]

/** A line without what differs from run to run; amounts, fees and block numbers stay. */
export const lasting = (line: string): string =>
  words.reduce((text, [pattern, word]) => text.replaceAll(pattern, word), line)
