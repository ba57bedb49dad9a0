/** Peers with compact filters, by DNS. Source: `docs/spec/bitcoin.md` §2.4 NET-2, §3.8 AD-3, AD-7. */
import { lookup } from 'node:dns/promises'
import type { PeerAddress } from '../core/btc/adapter-port.ts'
import { dnsSeeds, FILTER_SEED_PREFIX } from '../core/btc/dns-seeds.ts'
import type { Network } from '../core/btc/network.ts'

/** AD-3. */
const SEEDS_AT_ONCE = 3
const ADDRESSES_OF_SEED_MAX = 32
/** Connections for filters: more than must agree, for some will not answer. */
export const FILTER_PEERS = 8

/** Addresses of a name; rejects where there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>

const resolveBySystem: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address)

/** At most `FILTER_PEERS` addresses, each of another group of the network; none without DNS. */
export async function findFilterPeers(
  network: Network,
  resolve: Resolve = resolveBySystem,
): Promise<readonly PeerAddress[]> {
  const found = new Map<string, string>()
  const seeds = dnsSeeds[network.name]
  for (let at = 0; at < seeds.length && found.size < FILTER_PEERS; at += SEEDS_AT_ONCE) {
    const some = seeds.slice(at, at + SEEDS_AT_ONCE)
    for (const addresses of await Promise.all(some.map((seed) => ask(seed, resolve))))
      for (const address of addresses)
        if (!found.has(groupOf(address))) found.set(groupOf(address), address)
  }
  return [...found.values()].slice(0, FILTER_PEERS).map((host) => ({ host, port: network.p2pPort }))
}

/** Those that serve filters, if the seed can tell; any otherwise (NET-2). */
async function ask(seed: string, resolve: Resolve): Promise<readonly string[]> {
  for (const host of [`${FILTER_SEED_PREFIX}${seed}`, seed]) {
    const addresses = await resolve(host).catch((): readonly string[] => [])
    if (addresses.length > 0) return addresses.slice(0, ADDRESSES_OF_SEED_MAX)
  }
  return []
}

/** The /16 of an IPv4 address, the /32 of an IPv6 address. */
const groupOf = (address: string): string =>
  address.includes(':')
    ? address.split(':').slice(0, 2).join(':')
    : address.split('.').slice(0, 2).join('.')
