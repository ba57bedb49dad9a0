/**
 * Goal: what was fetched once is not fetched again, and a cache that is damaged, cut off or of
 * another chain costs time and nothing else.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import type { BlockHeader } from '../../../src/core/btc/block.ts'
import type { HeaderStore } from '../../../src/wallet/bitcoin-source.ts'
import { EsploraSource } from '../../../src/wallet/sources/esplora.ts'
import { findingsFile, headerFile, PART_HEADERS } from '../../../src/wallet/sources/header-file.ts'
import { hashOf } from '../../core/btc/builders.ts'
import { esploraDouble } from '../../support/esplora-double.ts'
import { NOW_S, portsOf, tell } from './story.ts'

const { node } = tell()
const headers = Array.from(
  { length: node.tip().height },
  (_, i): BlockHeader => present(node.blockAt(i + 1), 'a block').header,
)
const headersIn = (file: HeaderStore): readonly BlockHeader[] => [...file.load().parts].flat()
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckbtc-cache-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a file of headers', () => {
  test('holds what was saved; half a header at its end is left out', () => {
    const file = present(headerFile(folder, 'testnet4'), 'a file')
    expect(headersIn(file)).toEqual([])
    file.save(headers)
    expect(headersIn(file)).toEqual(headers)
    const path = join(folder, 'bitcoin-headers-testnet4.bin')
    writeFileSync(path, readFileSync(path).subarray(0, -1))
    expect(headersIn(file).length).toBe(headers.length - 1)
    expect(file.load().count).toBe(headers.length - 1)
  })

  test('is read in parts', () => {
    const file = present(headerFile(folder, 'testnet4'), 'a file')
    const many = Array.from({ length: PART_HEADERS + 1 }, () => present(headers[0], 'one'))
    file.save(many)
    expect([...file.load().parts].map(({ length }) => length)).toEqual([PART_HEADERS, 1])
  })

  test('is not made for regtest, and cannot be in the way where no file can be', () => {
    expect(headerFile(folder, 'regtest')).toBe(undefined)
    expect(findingsFile(folder, 'regtest')).toBe(undefined)
    writeFileSync(join(folder, 'taken'), '')
    const file = present(headerFile(join(folder, 'taken'), 'mainnet'), 'a file')
    file.save(headers)
    expect(headersIn(file)).toEqual([])
  })

  test('spares a server every header that it holds, and is judged again', async () => {
    const server = esploraDouble(node, NOW_S)
    const url = await server.start()
    let kept: readonly BlockHeader[] = []
    const store: HeaderStore = {
      load: () => ({ count: kept.length, parts: [kept.slice(0, 9), kept.slice(9)] }),
      save: (all) => (kept = all),
    }
    const asked = (): number =>
      server.requests.filter(({ path }) => path.endsWith('/header')).length
    const read = async (): Promise<number> => {
      const before = asked()
      await new EsploraSource(url, { ...portsOf(), headerStore: store }).info()
      return asked() - before
    }
    expect(await read()).toBe(headers.length)
    expect(kept).toEqual(headers)
    expect(await read()).toBe(0)
    kept = headers.slice(0, 100)
    expect(await read()).toBe(headers.length - 100)
    // A header of another chain, and all after it, count for nothing.
    kept = headers.with(50, { ...present(headers[50], 'one'), time: 1 })
    expect(await read()).toBe(headers.length - 50)
    await server.close()
  })
})

test('a file of findings holds what was saved, or nothing', () => {
  const file = present(findingsFile(folder, 'testnet4'), 'a file')
  expect(file.load()).toBe(undefined)
  const groups = [{ birth: 5, at: 9, scripts: [Uint8Array.of(0x51)] }]
  const findings = { filterHeaders: [hashOf('1')], groups, coins: [] }
  file.save(findings)
  expect(file.load()).toEqual(findings)
  const path = join(folder, 'bitcoin-filters-testnet4.bin')
  writeFileSync(path, readFileSync(path).subarray(0, -1))
  expect(file.load()).toBe(undefined)
})
