/** Goal: what an adapter has found outlives it, and neither a file nor a name server can harm it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Seed } from '../../../src/core/base/seed.ts'
import { NO_PEERS } from '../../../src/core/btc/address-book-file.ts'
import { mainnet, regtest, testnet4 } from '../../../src/core/btc/network.ts'
import { isRoutable, networkGroup } from '../../../src/core/btc/network-address.ts'
import { startBitcoinConnection } from '../../../src/host/bitcoin/connection.ts'
import { PeerSources } from '../../../src/host/bitcoin/peer-sources.ts'
import { systemClock } from '../../../src/host/clock.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckbtc-peers-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const known = { entries: [], anchors: [{ host: '20.1.0.1', port: 8_333 }] }
const sourcesAt = (bookPath: string): PeerSources => new PeerSources({ network: mainnet, bookPath })

describe('the file of the address book', () => {
  it('is replaced as a whole, and read in a later life', () => {
    const bookPath = join(folder, 'peers')
    expect(sourcesAt(bookPath).config.known).toEqual(NO_PEERS)
    sourcesAt(bookPath).keep(known)
    const later = sourcesAt(bookPath)
    expect(later.config.known).toEqual(known)
    expect(later.problem).toBeUndefined()
    expect(readdirSync(folder)).toEqual(['peers'])
  })

  it.each([
    ['of somebody else', new Uint8Array(100), 'an address book with a wrong checksum'],
    ['that is too long', new Uint8Array(1_000_001), 'an address book that is too long'],
  ])('%s is left alone, with the reason', (_, bytes, problem) => {
    const bookPath = join(folder, 'peers')
    writeFileSync(bookPath, bytes)
    const sources = sourcesAt(bookPath)
    expect(sources.config.known).toEqual(NO_PEERS)
    expect(sources.problem).toBe(problem)
    sources.keep(known)
    expect(sourcesAt(bookPath).config.known).toEqual(known)
  })

  it('that cannot be read ends nothing', () => {
    const sources = sourcesAt(folder)
    expect(sources.config.known).toEqual(NO_PEERS)
    expect(sources.problem).toContain('EISDIR')
  })

  it('that cannot be written ends nothing', () => {
    writeFileSync(join(folder, 'taken'), '')
    const sources = sourcesAt(join(folder, 'taken', 'folder', 'peers'))
    sources.keep(known)
    expect(sources.problem).toContain('ENOTDIR')
  })

  it('is made with its folder', () => {
    const bookPath = join(folder, 'new', 'peers')
    sourcesAt(bookPath).keep(known)
    expect(sourcesAt(bookPath).config.known).toEqual(known)
  })

  it('is written when a connection is closed', () => {
    const bookPath = join(folder, 'peers')
    const connection = startBitcoinConnection({
      network: regtest,
      peers: [],
      seed: Seed.fromBytes(new Uint8Array(32)),
      userAgent: '/ckbtc:test/',
      push: false,
      sources: new PeerSources({ network: regtest, bookPath }),
      clock: systemClock,
      onHeaders: () => undefined,
      onBlock: () => undefined,
    })
    connection.called()
    expect(connection.status()).toMatchObject({ state: 'catching up', peers: [], bans: [] })
    connection.close()
    expect(readFileSync(bookPath).length).toBeGreaterThan(0)
  })
})

describe('names', () => {
  it('are asked with the services that are needed, then without; silence is no failure', async () => {
    const asked: string[] = []
    const resolve = async (host: string): Promise<readonly string[]> => {
      asked.push(host)
      if (host !== 'a.example') throw new RangeError('no such name')
      return ['1.2.3.4']
    }
    const sources = new PeerSources({ network: testnet4, resolve })
    expect(await sources.lookUp('a.example')).toEqual(['1.2.3.4'])
    expect(await sources.lookUp('b.example')).toEqual([])
    expect(asked).toEqual(['x9.a.example', 'a.example', 'x9.b.example', 'b.example'])
    const filters = new PeerSources({ network: testnet4, resolve, filters: true })
    await filters.lookUp('a.example')
    expect(asked[4]).toBe('x49.a.example')
  })

  it('the addresses that come with the program are of the internet and of different groups', () => {
    const { fixed, seeds } = new PeerSources({ network: testnet4 }).config
    expect(seeds.length).toBeGreaterThan(0)
    expect(new Set(fixed.map(({ host }) => networkGroup(host))).size).toBe(fixed.length)
    expect(fixed.every(({ host, port }) => isRoutable(host) && port === testnet4.p2pPort)).toBe(
      true,
    )
  })
})
