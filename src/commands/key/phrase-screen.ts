/**
 * Shows a phrase once, and asks two of its words back. Implements `docs/spec/cli.md` §5.11 (`key
 * generate`).
 */
import { Problem } from '../../core/base/errors.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import type { Phrase } from '../../wallet/keys/phrase.ts'
import type { Person } from '../key-ports.ts'

const TRIES = 3
const WORDS_ASKED = 2
const WORDS_PER_LINE = 4
const COLUMN = 14

/** Another screen, without a trace in what can be scrolled back to. */
const ENTER = '\u001b[?1049h\u001b[H'
const LEAVE = '\u001b[?1049l'

type Lesson = {
  readonly terminal: Terminal
  readonly signal: AbortSignal
  readonly environment: {
    readonly TERM?: string | undefined
    readonly NO_COLOR?: string | undefined
  }
  readonly person: Person
  readonly entropy: (size: number) => Uint8Array
}

/** Ends when the person has given two words back; `KEY_BAD_PHRASE` after three failures. */
export async function teachPhrase(phrase: Phrase, lesson: Lesson): Promise<void> {
  const { words } = phrase.reveal()
  for (let tries = 1; tries <= TRIES; tries++) {
    await showOnce(words, lesson)
    if (await knows(words, lesson)) return
    lesson.terminal.warn('That is another word. Look again.')
  }
  throw new Problem('KEY_BAD_PHRASE', 'the words were not given back as shown; no key was made', {
    fix: 'write the words on paper, in order, and run the command again',
  })
}

async function showOnce(words: readonly string[], lesson: Lesson): Promise<void> {
  const { terminal, signal, environment, person } = lesson
  const { TERM, NO_COLOR = '' } = environment
  const hides = TERM !== 'dumb' && NO_COLOR === ''
  const leave = (): void =>
    terminal.warn(hides ? LEAVE : 'The words are still above: clear this window.')
  if (hides) terminal.warn(ENTER)
  signal.addEventListener('abort', leave)
  try {
    terminal.warn(`Write these ${words.length} words on paper, in order. They are shown once.`)
    terminal.warn('Anyone who has them has your funds.')
    for (const line of table(words)) terminal.warn(line)
    await person.askText('Press Enter when they are on paper')
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

function table(words: readonly string[]): readonly string[] {
  const cells = words.map((word, index) =>
    `${String(index + 1).padStart(4)} ${word}`.padEnd(COLUMN),
  )
  return Array.from({ length: Math.ceil(cells.length / WORDS_PER_LINE) }, (_, line) =>
    cells
      .slice(line * WORDS_PER_LINE, (line + 1) * WORDS_PER_LINE)
      .join('')
      .trimEnd(),
  )
}

async function knows(words: readonly string[], { person, entropy }: Lesson): Promise<boolean> {
  let right = true
  for (const place of places(words.length, entropy)) {
    const answer = await person.askSecret(`Word ${place + 1}`)
    if (answer.trim().toLowerCase() !== words[place]) right = false
  }
  return right
}

/** Two different places, in order. */
function places(count: number, entropy: (size: number) => Uint8Array): readonly number[] {
  const found = new Set<number>()
  // A byte below a multiple of the count is without bias; of 256 both counts leave a remainder.
  const fair = 256 - (256 % count)
  while (found.size < WORDS_ASKED)
    for (const byte of entropy(16))
      if (byte < fair && found.size < WORDS_ASKED) found.add(byte % count)
  return [...found].sort((a, b) => a - b)
}
