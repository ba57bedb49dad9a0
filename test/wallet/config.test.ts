/**
 * Goal: a setting has one value, everybody can tell where it is from, and no file says what it may
 * not say (cli §3.14).
 * Method: files of all kinds in a folder of the test; every source against every weaker one.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { ConfigurationFacts } from '../../src/wallet/config.ts'
import { limitsOf, loadConfiguration, readSettings } from '../../src/wallet/config.ts'
import { encodeSettings, writeSetting } from '../../src/wallet/config-file.ts'
import { kindOf, settingKinds } from '../../src/wallet/setting-names.ts'

const place = mkdtempSync(join(tmpdir(), 'ckbtc-config-'))
afterAll(() => rmSync(place, { recursive: true }))

let count = 0
function fileWith(content: string, name = `${count++}.json`): string {
  const path = join(place, name)
  writeFileSync(path, content)
  return path
}

const load = (facts: Partial<ConfigurationFacts> = {}) =>
  loadConfiguration({
    path: join(place, 'none.json'),
    isNamed: false,
    workingFolder: undefined,
    environment: {},
    options: {},
    ...facts,
  })

const refusal = (action: () => unknown): unknown => {
  try {
    return action()
  } catch (error) {
    return error
  }
}

describe('a setting', () => {
  const user = fileWith('{"version":1,"network":"testnet4","unit":"sat"}')
  const project = join(place, 'project')
  mkdirSync(join(project, 'deep', 'deeper'), { recursive: true })
  writeFileSync(join(project, '.ckbtc.json'), '{"network":"mine","min_confirmations":1}')
  const workingFolder = join(project, 'deep', 'deeper')

  const sources: readonly [string, Partial<ConfigurationFacts>, string, string][] = [
    ['default', {}, 'local', 'default'],
    ['user file over default', { path: user }, 'testnet4', 'user'],
    ['project file over user file', { path: user, workingFolder }, 'mine', 'project'],
    [
      'variable over project file',
      { path: user, workingFolder, environment: { CKBTC_NETWORK: 'ic' } },
      'ic',
      'environment',
    ],
    [
      'option over variable',
      { workingFolder, environment: { CKBTC_NETWORK: 'ic' }, options: { network: 'local' } },
      'local',
      'option',
    ],
  ]
  it.each(sources)('is taken from the strongest source: %s', (_, facts, value, source) => {
    expect(load(facts).setting('network')).toMatchObject({ value, source })
  })

  it('that is empty in the environment is not set', () => {
    expect(load({ environment: { CKBTC_NETWORK: '' } }).get('network')).toBe('local')
  })

  it('says which file or variable it is from', () => {
    const { CKBTC_UNIT, ...none } = { CKBTC_UNIT: 'sat' }
    expect(load({ path: user }).setting('unit')?.place).toBe(user)
    expect(load({ environment: { ...none, CKBTC_UNIT } }).setting('unit')?.place).toBe('CKBTC_UNIT')
    expect(load({ workingFolder }).setting('min_confirmations')).toMatchObject({
      value: '1',
      place: join(project, '.ckbtc.json'),
    })
  })

  it('of the environment or an option is checked and named', () => {
    expect(refusal(() => load({ environment: { CKBTC_UNIT: 'mbtc' } }))).toMatchObject({
      code: 'USAGE_INVALID',
      message: 'CKBTC_UNIT: "mbtc" is not btc or sat',
    })
    expect(refusal(() => load({ options: { timeout: '10' } }))).toMatchObject({
      code: 'USAGE_INVALID',
      message: '--timeout: "10" is no duration',
    })
  })
})

describe('a file', () => {
  const broken: readonly [string, string, RegExp][] = [
    ['no JSON', '{"network":\n "local",,}', /line 2, column \d+: this is not JSON/],
    ['half a file', '{"network"', /line 1, column \d+: this is not JSON/],
    ['no object', '[]', /not an object/],
    ['a newer version', '{"version":2}', /its version is 2/],
    ['an unknown name', '{"netwrok":"local"}', /there is no setting "netwrok"/],
    ['an unknown inner name', '{"limits":{"confirm":"1btc"}}', /no setting "limits.confirm"/],
    ['a list', '{"network":["local"]}', /network: neither text nor number/],
    ['nothing as a value', '{"network":null}', /network: neither text nor number/],
    ['an amount without unit', '{"limits":{"confirm_large":1}}', /confirm_large: "1" has no unit/],
    ['a bare percentage', '{"max_fee_percent":5}', /max_fee_percent: "5" is no percentage/],
    ['an unknown unit', '{"unit":"mbtc"}', /unit: "mbtc" is not btc or sat/],
    ['a setting of projects', '{"min_confirmations":1}', /belongs to a project, not to a user/],
    ['objects without end', '{"a":{"b":{"c":{"d":{"e":1}}}}}', /a.b.c.d: neither text nor number/],
    ['more than a file of settings', `{"key":"${'x'.repeat(70_000)}"}`, /longer than 65536 bytes/],
  ]
  it.each(broken)('with %s is refused with its place', (_, content, message) => {
    const path = fileWith(content)
    expect(refusal(() => load({ path }))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
      details: { path },
    })
  })

  it('that is no text is refused', () => {
    const path = join(place, 'bytes.json')
    writeFileSync(path, Uint8Array.of(0x7b, 0xff, 0x7d))
    expect(refusal(() => load({ path }))).toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('with a name that is nearly right is told the right one', () => {
    const path = fileWith('{"bitcoin_sorce":"p2p"}')
    expect(refusal(() => load({ path }))).toMatchObject({
      fix: 'the nearest one is bitcoin_source',
    })
  })

  it('that was named must be there', () => {
    expect(refusal(() => load({ path: join(place, 'gone'), isNamed: true }))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('there is no such file'),
    })
  })

  const forbidden = ['key', 'color', 'timeout', 'bitcoin_source', 'max_fee_percent'] as const
  it.each([...forbidden, 'limits.confirm_large', 'limits.ic.max_send'])(
    'of a project cannot set %s',
    (name) => {
      const folder = mkdtempSync(join(place, 'p'))
      const value = name.startsWith('limits') ? '1btc' : 'dev0'
      writeFileSync(join(folder, '.ckbtc.json'), encodeSettings(new Map([[name, value]])))
      expect(refusal(() => load({ workingFolder: folder }))).toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`"${name}" is not for a project to set`),
      })
    },
  )
})

describe('limits', () => {
  it('have defaults where nothing is set', () => {
    expect(limitsOf(load(), 'ic')).toEqual({
      maxSendSat: undefined,
      confirmLargeSat: 10_000_000n,
      maxFeePercent: 500n,
    })
  })

  it('are those of the network', () => {
    const path = fileWith('{"limits":{"ic":{"max_send":"1btc"},"confirm_large":"5000sat"}}')
    const configuration = load({ path })
    expect(limitsOf(configuration, 'ic').maxSendSat).toBe(100_000_000n)
    expect(limitsOf(configuration, 'testnet4').maxSendSat).toBeUndefined()
    expect(limitsOf(configuration, 'ic').confirmLargeSat).toBe(5_000n)
  })
})

describe('a change', () => {
  it('keeps the rest of the file and is for the owner alone', async () => {
    const path = join(place, 'made', 'config.json')
    expect(await writeSetting(path, 'limits.ic.max_send', '1btc')).toBe(true)
    expect(await writeSetting(path, 'unit', 'sat')).toBe(true)
    expect(await writeSetting(path, 'unit', 'sat')).toBe(false)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      version: 1,
      limits: { ic: { max_send: '1btc' } },
      unit: 'sat',
    })
    expect(await writeSetting(path, 'limits.ic.max_send', undefined)).toBe(true)
    expect(await writeSetting(path, 'limits.ic.max_send', undefined)).toBe(false)
    expect(readSettings(path, 'user')).toEqual(new Map([['unit', 'sat']]))
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('to what the setting does not take, or of a file that is broken, changes nothing', async () => {
    const path = fileWith('{"unit":"sat"}')
    await expect(writeSetting(path, 'unit', 'bits')).rejects.toThrow('"bits" is not btc or sat')
    await expect(writeSetting(path, 'unti', 'sat')).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    await expect(writeSetting(path, 'min_confirmations', '1')).rejects.toThrow(
      'belongs to a project',
    )
    expect(readFileSync(path, 'utf8')).toBe('{"unit":"sat"}')
    const broken = fileWith('{')
    await expect(writeSetting(broken, 'unit', 'sat')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
    expect(readFileSync(broken, 'utf8')).toBe('{')
  })

  it('that is written is read back', () => {
    const values = fc.record(
      {
        network: fc.constantFrom('local', 'ic', 'mine-2'),
        unit: fc.constantFrom('btc', 'sat'),
        'limits.confirm_large': fc.constantFrom('1btc', '5 sat'),
        'limits.ic.max_send': fc.constantFrom('1btc', '2btc'),
        'limits.mine.max_send': fc.constantFrom('1btc', '2btc'),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(values, (record) => {
        const settings = new Map(Object.entries(record).map(([name, value]) => [name, `${value}`]))
        const path = fileWith(encodeSettings(settings), 'round.json')
        expect(readSettings(path, 'user')).toEqual(settings)
      }),
    )
  })
})

it('every fallback is a value that the setting takes', () => {
  for (const { fallback, check } of settingKinds)
    if (fallback !== undefined) expect(() => check(fallback)).not.toThrow()
  expect(kindOf('limits.ic.max_send')?.name).toBe('limits.<network>.max_send')
})
