/** Streams, colour, symbols: the rules of `docs/spec/cli.md` §3.5. */
import { describe, expect, it } from 'vitest'
import {
  type Environment,
  maySpin,
  type Settings,
  type Stream,
  showsColour,
  speaksUtf8,
} from '../../src/terminal/terminal.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

const screen: Stream = { write: () => {}, isTTY: true, columns: 80 }
const pipe: Stream = { write: () => {} }

describe('colour', () => {
  const cases: readonly [string, Stream, Environment, Settings['color'], boolean][] = [
    ['shows on a terminal', screen, {}, 'auto', true],
    ['is off in a pipe', pipe, {}, 'auto', false],
    ['is off with NO_COLOR', screen, { NO_COLOR: '1' }, 'auto', false],
    ['ignores an empty NO_COLOR', screen, { NO_COLOR: '' }, 'auto', true],
    ['is off on a dumb terminal', screen, { TERM: 'dumb' }, 'auto', false],
    ['is off with CKBTC_COLOR=never', screen, { CKBTC_COLOR: 'never' }, 'auto', false],
    ['is on with CKBTC_COLOR=always', pipe, { CKBTC_COLOR: 'always' }, 'auto', true],
    ['is on with FORCE_COLOR', pipe, { FORCE_COLOR: '1' }, 'auto', true],
    ['is off with FORCE_COLOR=0', screen, { FORCE_COLOR: '0' }, 'auto', false],
    ['is off when both are set', pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, 'auto', false],
    ['follows the flag against the environment', pipe, { NO_COLOR: '1' }, 'always', true],
    ['follows the flag on a terminal', screen, { FORCE_COLOR: '1' }, 'never', false],
  ]
  it.each(cases)('%s', (_, stream, environment, color, expected) => {
    expect(showsColour(stream, environment, { color })).toBe(expected)
  })

  it('reaches the text only when it is on', async () => {
    const [on, off] = await Promise.all([
      recordingTerminal({ color: 'always' }),
      recordingTerminal({ color: 'never' }),
    ])
    expect(on.terminal.paint.good('✓')).toBe('\u001b[32m✓\u001b[39m')
    expect(off.terminal.paint.good('✓')).toBe('✓')
  })
})

describe('a spinner', () => {
  const cases: readonly [string, Stream, Environment, boolean][] = [
    ['moves on a terminal', screen, {}, true],
    ['rests in a pipe', pipe, {}, false],
    ['rests on a dumb terminal', screen, { TERM: 'dumb' }, false],
    ['rests in continuous integration', screen, { CI: 'true' }, false],
    ['rests with NO_COLOR, which allows no escape sequence', screen, { NO_COLOR: '1' }, false],
    ['rests where the width is unknown', { ...screen, columns: 0 }, {}, false],
  ]
  it.each(cases)('%s', (_, stream, environment, expected) => {
    expect(maySpin(stream, environment)).toBe(expected)
  })
})

describe('symbols', () => {
  it('are those of the first locale variable that is set', () => {
    expect(speaksUtf8({ LANG: 'en_US.UTF-8' })).toBe(true)
    expect(speaksUtf8({ LANG: 'en_US.utf8', LC_ALL: 'C' })).toBe(false)
    expect(speaksUtf8({ LANG: 'C', LC_CTYPE: 'C.UTF-8', LC_ALL: '' })).toBe(true)
    expect(speaksUtf8({})).toBe(false)
  })

  it('become words and signs of ASCII elsewhere', async () => {
    const { terminal, written } = await recordingTerminal({}, { LANG: 'C' })
    terminal.answer('✓ a · b → c… ✗')
    terminal.warn('→')
    expect(written).toEqual({ out: 'ok a - b -> c... x\n', err: '->\n' })
  })
})

it('quiet removes notes and keeps warnings', async () => {
  const { terminal, written } = await recordingTerminal({ quiet: true })
  terminal.note('note')
  terminal.warn('warning')
  expect(written).toEqual({ out: '', err: 'warning\n' })
})
