/**
 * Goal: `key unlock` asks once and says until when, `key lock` ends it, and no change of a key
 * leaves an old door open.
 * Method: docs/spec/cli.md §§3.13, 5.11; the commands on a real folder.
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { selectUser } from '../../../src/commands/keys.ts'
import { testnet4 } from '../../../src/wallet/network.ts'
import { KeyDesk } from '../../support/key-commands.ts'

const PASSPHRASE = 'correct horse battery'
const answers = (): string => PASSPHRASE
const onTestnet = { answers, globals: { network: 'testnet4' } }

async function deskWithKey(): Promise<KeyDesk> {
  const desk = new KeyDesk()
  const wish = { phraseOut: `${desk.folder}/words.txt`, words: '12' }
  await desk.run('generate savings', wish, { answers })
  desk.questions.length = 0
  return desk
}

const doorOf = (desk: KeyDesk): string => `${desk.folder}/run/unlocked/savings@testnet4.json`

describe('key unlock', () => {
  test('asks for the passphrase once, and names the end', async () => {
    const desk = await deskWithKey()
    const { out } = await desk.run(
      'unlock',
      { for: '1h' },
      { ...onTestnet, settings: { json: true } },
    )
    expect(JSON.parse(out)).toMatchObject({
      schema: 'ckbtc.key-unlock.v1',
      network: 'testnet4',
      data: { key: 'savings', expires_at: '2026-01-02T04:04:05.000Z' },
    })
    expect(desk.questions).toEqual(['Passphrase of savings'])
    expect((await desk.run('unlock', {}, onTestnet)).out).toContain(
      'until 2026-01-02T03:19:05.000Z',
    )
    expect((await desk.run('lock')).out).toContain('Every key is locked')
    expect((await desk.run('lock')).out).toBe('No key was unlocked\n')
    expect(existsSync(doorOf(desk))).toBe(false)
  })

  test('lets a command sign that can ask nobody', async () => {
    const desk = await deskWithKey()
    const context = await desk.context({ globals: { network: 'testnet4' } })
    const sign = () => selectUser(context, testnet4, desk.portsFor({}))
    await expect(sign()).rejects.toMatchObject({ code: 'KEY_LOCKED' })
    await desk.run('unlock', {}, onTestnet)
    const { user, chosen } = await sign()
    expect([chosen.name, user.chain?.delegations.length]).toEqual(['savings', 1])
  })

  test('is refused for keys without a passphrase, times that are none, and networks that are not there', async () => {
    const desk = await deskWithKey()
    const ask = (values: object, saying: object = onTestnet) =>
      desk.run('unlock', { ...values }, saying)
    expect((await ask({ for: '15' })).exit).toBe(2)
    expect((await ask({ for: '25h' })).exit).toBe(2)
    expect((await ask({}, { answers })).err).toContain('SUBNET_DOWN')
    const others = { globals: { network: 'testnet4', key: 'dev0' } }
    expect((await ask({}, others)).err).toContain('RAIL_TEST_KEY')
    await desk.run('passwd savings', { passphrase: false }, { answers })
    expect((await ask({})).exit).toBe(2)
  })

  test.each([
    ['another passphrase', 'passwd savings', {}],
    ['another name', 'rename savings old', {}],
    ['no key any more', 'delete savings', { confirmName: 'savings' }],
  ])('ends when there is %s', async (_, words, values) => {
    const desk = await deskWithKey()
    await desk.run('unlock', {}, onTestnet)
    expect(readFileSync(doorOf(desk), 'utf8')).toContain('"key": "savings"')
    expect((await desk.run(words, values, { answers })).exit).toBe(0)
    expect(existsSync(doorOf(desk))).toBe(false)
  })
})
