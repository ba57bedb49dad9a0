/**
 * Goal: nobody consents by accident, and no question waits where nobody can answer (cli §3.9).
 * Method: the prompts as they are, over streams on which the test types.
 */
import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  askSecret,
  askText,
  askYes,
  canAsk,
  consent,
  type PromptStreams,
  typedConsent,
} from '../../src/terminal/prompt.ts'

/** Types `keys` as soon as the question stands there; nothing more is typed. */
function typing(keys: string | undefined): PromptStreams & { readonly screen: () => string } {
  const [input, output] = [new PassThrough(), new PassThrough()]
  let [shown, typed] = ['', false]
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    if (typed || !shown.includes('Sure?')) return
    typed = true
    // The prompt listens a turn after it has drawn itself.
    setImmediate(() => (keys === undefined ? input.end() : input.write(keys)))
  })
  return { input, output, screen: () => shown }
}

const noTerminal = { environment: {}, input: true } as const

describe('a question', () => {
  it.each([
    ['y\r', true],
    ['yes\r', true],
    ['Y\r', true],
    ['n\r', false],
    ['\r', false],
  ])('is answered by %j', async (keys, expected) => {
    expect(await askYes('Sure?', typing(keys))).toBe(expected)
  })

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
    ['Escape', '\u001b'],
    ['Escape behind half a yes', 'y\u001b'],
    ['the end of input', undefined],
  ])('is declined by %s', async (_, keys) => {
    await expect(askYes('Sure?', typing(keys))).rejects.toMatchObject({ code: 'CONSENT_DECLINED' })
    await expect(askText('Sure?', typing(keys))).rejects.toMatchObject({
      code: 'CONSENT_DECLINED',
    })
    await expect(askSecret('Sure?', typing(keys))).rejects.toMatchObject({
      code: 'CONSENT_DECLINED',
    })
  })

  it('for a secret shows nothing of it, whatever key is pressed', async () => {
    const streams = typing('xyz\u0014zy2\r')
    expect(await askSecret('Sure?', streams)).toBe('xyzzy2')
    expect(stripVTControlCharacters(streams.screen())).not.toMatch(/[xyz]/)
  })

  it('for text takes it as it is', async () => {
    expect(await askText('Sure?', typing('0.25btc\r'))).toBe('0.25btc')
  })
})

describe('consent', () => {
  const given = { facts: noTerminal, yes: false } as const

  it('is given by --yes without a question', async () => {
    await consent('Sure?', { ...given, yes: true })
  })

  it('that nobody can give is refused with the flag', async () => {
    expect(canAsk(noTerminal)).toBe(false)
    await expect(consent('Sure?', given)).rejects.toMatchObject({
      code: 'CONSENT_REQUIRED',
      fix: expect.stringContaining('--yes'),
    })
  })

  it('is what the person says', async () => {
    await consent('Sure?', { ...given, answer: async () => true })
    await expect(consent('Sure?', { ...given, answer: async () => false })).rejects.toMatchObject({
      code: 'CONSENT_DECLINED',
    })
  })
})

describe('consent in words', () => {
  const wanted = {
    facts: noTerminal,
    flag: '--confirm-amount',
    matches: (typed: string) => typed === '1btc',
  } as const

  it('is the same words, typed or by a flag', async () => {
    await typedConsent('Amount', { ...wanted, given: ' 1btc ' })
    await typedConsent('Amount', { ...wanted, given: undefined, answer: async () => '1btc' })
  })

  it.each(['', 'yes', '10btc'])('is refused for "%s"', async (typed) => {
    const code = 'CONSENT_DECLINED'
    const answer = async (): Promise<string> => typed
    await expect(
      typedConsent('Amount', { ...wanted, given: undefined, answer }),
    ).rejects.toMatchObject({ code })
    await expect(typedConsent('Amount', { ...wanted, given: typed })).rejects.toMatchObject({
      code,
    })
  })

  it('that nobody can give is refused with its flag', async () => {
    await expect(typedConsent('Amount', { ...wanted, given: undefined })).rejects.toMatchObject({
      code: 'CONSENT_REQUIRED',
      fix: expect.stringContaining('--confirm-amount'),
    })
  })
})
