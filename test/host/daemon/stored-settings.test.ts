import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decideSettings, storeSettings } from '../../../src/host/daemon/stored-settings.ts'
import { decodeSettings, defaultSettings } from '../../../src/host/subnet-settings.ts'

describe('the settings file', () => {
  let folder = ''
  let path = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ckbtc-settings-'))
    path = join(folder, 'settings.json')
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const stored = () => decodeSettings(readFileSync(path, 'utf8'), path)

  it('holds what a subnet was made with before it is made, for the owner alone', () => {
    const settings = decideSettings(path, { nodes: 7, minConfirmations: 1 })
    expect(settings).toEqual({ ...defaultSettings, nodes: 7, minConfirmations: 1 })
    expect(stored()).toEqual(settings)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(() => decideSettings(path, { nodes: 4 })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })

  it('holds an address only once it was to be had', () => {
    const settings = decideSettings(path, { port: 80, host: '192.0.2.1' })
    expect(settings).toMatchObject({ port: 80, host: '192.0.2.1' })
    expect(stored()).toMatchObject({ port: 0, host: '127.0.0.1' })
    storeSettings(path, settings)
    expect(stored()).toMatchObject({ port: 80, host: '192.0.2.1' })
    expect(decideSettings(path, {})).toMatchObject({ port: 80, host: '192.0.2.1' })
  })

  it('that was lost is not made up beside state that is still there', () => {
    mkdirSync(join(folder, 'node-1'))
    expect(decideSettings(path, {})).toEqual(defaultSettings)
    expect(existsSync(path)).toBe(false)
  })

  it('is none of a subnet that is not kept', () => {
    decideSettings(undefined, { nodes: 1 })
    expect(existsSync(path)).toBe(false)
  })

  it('that is damaged is refused and left as it is', () => {
    writeFileSync(path, '{')
    expect(() => decideSettings(path, {})).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', command: 'ckbtc subnet reset' }),
    )
    expect(readFileSync(path, 'utf8')).toBe('{')
  })

  it('holds no settings of which no minter can be made', () => {
    const set = new Map([['minter.check-fee', 60_000n]])
    expect(() => decideSettings(path, { set })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
    expect(existsSync(path)).toBe(false)
  })
})
