/** Peers with compact filters, by DNS. Source: `docs/spec/bitcoin.md` §2.4 NET-2, §3.8 AD-3, AD-7. */

import { Problem } from '../core/base/errors.ts'
import type { ConfiguredPeer, PeerAddress } from '../core/btc/adapter-port.ts'
import { dnsSeeds, FILTER_SEED_PREFIX } from '../core/btc/dns-seeds.ts'
import type { Network } from '../core/btc/network.ts'
import { networkGroup } from '../core/btc/network-address.ts'
import { ADDRESSES_OF_SEED_MAX, SEEDS_AT_ONCE } from '../core/btc/seed-queries.ts'
import type { Resolve } from './bitcoin/seed-lookup.ts'
import { lookUpSeed, resolveBySystem } from './bitcoin/seed-lookup.ts'
import { proxyOfText } from './bitcoin/socks.ts'

/** Connections for filters: more than must agree, for some will not answer. */
export const FILTER_PEERS = 8

/** At most `FILTER_PEERS` addresses, each of another group of the network; none without DNS. */
export async function findFilterPeers(
  network: Network,
  resolve: Resolve = resolveBySystem,
): Promise<readonly ConfiguredPeer[]> {
  const found = new Map<string, string>()
  const seeds = dnsSeeds[network.name]
  for (let at = 0; at < seeds.length && found.size < FILTER_PEERS; at += SEEDS_AT_ONCE) {
    const some = seeds.slice(at, at + SEEDS_AT_ONCE)
    const lookUp = (seed: string) => lookUpSeed(seed, { prefix: FILTER_SEED_PREFIX, resolve })
    for (const addresses of await Promise.all(some.map(lookUp)))
      for (const address of addresses.slice(0, ADDRESSES_OF_SEED_MAX)) {
        const group = networkGroup(address)
        if (!found.has(group)) found.set(group, address)
      }
  }
  // Found, not named: for a lie they are banned.
  const hosts = [...found.values()].slice(0, FILTER_PEERS)
  return hosts.map((host) => ({ host, port: network.p2pPort, isFound: true }))
}

/**
 * Through a proxy no name is resolved here (PX-2): each seed is called by its name, and is whatever
 * peer the far end of the proxy finds behind it.
 */
export const filterPeersByName = (network: Network): readonly ConfiguredPeer[] =>
  dnsSeeds[network.name].slice(0, FILTER_PEERS).map((seed) => ({
    host: `${FILTER_SEED_PREFIX}${seed}`,
    port: network.p2pPort,
    isFound: true,
  }))

/** The proxy that peers are called through, as the environment names it (PX-1). */
export function peerProxy(
  environment: Readonly<Record<string, string | undefined>>,
): PeerAddress | undefined {
  const { ALL_PROXY, all_proxy } = environment
  const text = ALL_PROXY || all_proxy || ''
  if (text === '') return undefined
  const place = proxyOfText(text)
  if (place !== undefined) return place
  throw new Problem('BTC_SOURCE_UNUSABLE', 'peers cannot be called through what ALL_PROXY names', {
    fix: 'set ALL_PROXY to socks5://<host>:<port>, or to nothing',
  })
}
