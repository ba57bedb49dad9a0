/** Addresses that a DNS seed knows. Source: `docs/spec/bitcoin.md` §2.4 NET-2, §3.8 AD-3. */
import { lookup } from 'node:dns/promises'

/** Addresses of a name; rejects where there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>

export const resolveBySystem: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address)

/** Those with the services of the prefix, if the seed can tell; any otherwise; none without DNS. */
export async function lookUpSeed(
  seed: string,
  { prefix, resolve }: { readonly prefix: string; readonly resolve: Resolve },
): Promise<readonly string[]> {
  for (const host of [`${prefix}${seed}`, seed]) {
    const addresses = await resolve(host).catch((): readonly string[] => [])
    if (addresses.length > 0) return addresses
  }
  return []
}
