/** Goal: tables align for people and split for programs. Method: cli §3.5. */
import { describe, expect, test } from 'vitest'
import { canAsk, consent } from '../../src/terminal/prompt.ts'
import { printQr, qrRows } from '../../src/terminal/qr.ts'
import { oneLine, printPairs, printTable } from '../../src/terminal/table.ts'
import { recordingTerminal } from '../support/recording-terminal.ts'

const columns = [{ title: 'NAME' }, { title: 'SUM', align: 'right' }] as const

test('a table is aligned under its header', async () => {
  const { terminal, written } = await recordingTerminal({})
  printTable(terminal, columns, [
    ['dev0', '5'],
    ['a longer one', '12345'],
  ])
  expect(written.out).toBe('NAME            SUM\ndev0              5\na longer one  12345\n')
})

test('with --plain it is rows of tabs, and nothing in a cell can break one', async () => {
  const { terminal, written } = await recordingTerminal({ plain: true })
  printTable(terminal, columns, [['a\tb\nc\u001b[31m', '5']])
  printPairs(terminal, [['Fee', '10 sat']])
  expect(written.out).toBe('name\tsum\na b c [31m\t5\nfee\t10 sat\n')
})

describe('on a terminal', () => {
  const principal = 'k2t6j-2nvnp-4zjm3-25dtz-6xhaa-c7boj-5gayf-oj3xs-i43lp-teztq-6ae'
  const wide = [
    { title: 'NAME' },
    { title: 'PRINCIPAL' },
    { title: 'AMOUNT', align: 'right' },
  ] as const
  const rows = [['savings', principal, '0.00100000 ckBTC']]

  test.each([60, 80])('a table fits %i columns, and amounts stay whole', async (columns) => {
    const { terminal, written } = await recordingTerminal({ color: 'never' }, undefined, {
      columns,
    })
    printTable(terminal, wide, rows)
    const lines = written.out.trimEnd().split('\n')
    expect(lines.map((line) => line.length)).toEqual([columns, columns])
    expect(lines[1]).toMatch(/^savings {2}k2t6j-.*…[^…]*-6ae {2}0.00100000 ckBTC$/)
  })

  test('a narrower one than 60 columns is written for 60', async () => {
    const { terminal, written } = await recordingTerminal({ color: 'never' }, undefined, {
      columns: 20,
    })
    printTable(terminal, wide, rows)
    expect(written.out.split('\n')[0]?.length).toBe(60)
  })

  test('a wide one loses nothing', async () => {
    const { terminal, written } = await recordingTerminal({ color: 'never' }, undefined, {
      columns: 200,
    })
    printTable(terminal, wide, rows)
    expect(written.out).toContain(principal)
  })

  test('an amount stays whole, however wide it is', async () => {
    const { terminal, written } = await recordingTerminal({ color: 'never' }, undefined, {
      columns: 60,
    })
    const amount = '-20999999.12345678 ckTESTBTC'
    printTable(terminal, wide, [['savings', principal, amount]])
    expect(written.out).toContain(`  ${amount}\n`)
  })

  test('words and times are short enough to stay', async () => {
    const { terminal, written } = await recordingTerminal({ color: 'never' }, undefined, {
      columns: 60,
    })
    const time = '2026-01-05 11:02:33'
    printTable(terminal, [{ title: 'TIME' }, { title: 'TO' }], [[time, principal]])
    expect(written.out).toMatch(new RegExp(`^${time} {2}k2t6j-.*…`, 'm'))
  })

  test('what cannot be made narrower stays', async () => {
    const { terminal, written } = await recordingTerminal({ color: 'never' }, undefined, {
      columns: 60,
    })
    const whole = [{ title: 'A', whole: true }] as const
    printTable(terminal, whole, [[principal]])
    expect(written.out).toContain(principal)
  })

  test('without UTF-8 three points stand for what is left out', async () => {
    const { terminal, written } = await recordingTerminal(
      { color: 'never' },
      { LANG: 'C' },
      { columns: 60 },
    )
    printTable(terminal, wide, rows)
    expect(written.out.split('\n').map((line) => line.length)).toEqual([60, 60, 0])
    expect(written.out).toMatch(/k2t6j-.*\.\.\..*-6ae/)
  })
})

test('in a pipe nothing is cut', async () => {
  const { terminal, written } = await recordingTerminal({}, { COLUMNS: '60' })
  printTable(terminal, columns, [['x'.repeat(500), '5']])
  expect(written.out).toContain('x'.repeat(500))
})

test('what others wrote can neither move the cursor nor turn the line round', () => {
  expect(oneLine('a\u001b[2Jb\nc\u202ed\u2028e\u009bf')).toBe('a [2Jb c d e f')
})

describe('a QR code', () => {
  test('has dark modules on a light zone', async () => {
    const rows = await qrRows('bitcoin:bcrt1qxyz')
    const { encode } = await import('uqr')
    const { data, size } = encode('bitcoin:bcrt1qxyz', { border: 2 })
    const dark = rows.flatMap((row) => {
      const upper = [...row].map((block) => block === ' ' || block === '▄')
      const lower = [...row].map((block) => block === ' ' || block === '▀')
      return [upper, lower]
    })
    expect(dark.slice(0, size)).toEqual(data)
    expect(dark[0]).toEqual(Array.from({ length: size }, () => false))
  })

  test('is painted white on black where it fits a terminal, and nowhere else', async () => {
    const screen = await recordingTerminal({ color: 'never' }, undefined, { columns: 80 })
    expect(await printQr(screen.terminal, 'x')).toBe(true)
    expect(screen.written.err.startsWith('\u001b[97;40m█')).toBe(true)
    const narrow = await recordingTerminal({ color: 'never' }, undefined, { columns: 60 })
    expect(await printQr(narrow.terminal, 'x'.repeat(500))).toBe(false)
    const pipe = await recordingTerminal()
    expect(await printQr(pipe.terminal, 'x')).toBe(false)
    expect(narrow.written.err + pipe.written.err).toBe('')
  })
})

test('consent needs somebody to ask, or --yes', async () => {
  const facts = { environment: {}, input: true }
  expect(canAsk({ ...facts, input: false })).toBe(false)
  await consent('Send it?', { facts, yes: true })
  await expect(
    consent('Send it?', { facts: { environment: { CI: '1' }, input: true }, yes: false }),
  ).rejects.toMatchObject({ code: 'CONSENT_REQUIRED' })
  const answer = async () => false
  await expect(consent('Send it?', { facts, yes: false, answer })).rejects.toMatchObject({
    code: 'CONSENT_DECLINED',
  })
})

describe('a table that is wider than the terminal', () => {
  const columns = [
    { title: 'WHEN' },
    { title: 'COUNTERPARTY / BITCOIN TX', shortTitle: 'WITH / TX', widthMin: 11 },
    { title: 'BLOCK', align: 'right' },
  ] as const
  const rows = [
    ['2026-01-05 11:02', `tx ${'a'.repeat(8)}…${'b'.repeat(8)}:0 ${'c'.repeat(30)}`, '3'],
  ]
  const printed = async (width: number) => {
    const { terminal, written } = await recordingTerminal(
      {},
      { LANG: 'C.UTF-8', NO_COLOR: '1' },
      { columns: width },
    )
    printTable(terminal, columns, rows)
    return written.out.trimEnd().split('\n')
  }

  test('has short titles, narrow columns and one mark for what is left out', async () => {
    for (const line of await printed(60)) expect([...line].length).toBeLessThanOrEqual(60)
    expect((await printed(60))[0]).toContain('WITH / TX')
    for (const width of [60, 62, 64, 66])
      expect((await printed(width)).join('')).not.toContain('……')
    expect((await printed(120))[0]).toContain('COUNTERPARTY / BITCOIN TX')
  })
})
