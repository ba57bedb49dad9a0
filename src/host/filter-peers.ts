/**
 * How the source `p2p` comes to its peers. Source: `docs/spec/bitcoin.md` §3.8 AD-12, §3.11; cli
 * §3.14.
 */
import { join } from 'node:path'
import { Problem } from '../core/base/errors.ts'
import type { PeerAddress } from '../core/btc/adapter-port.ts'
import type { Network } from '../core/btc/network.ts'
import { PeerSources } from './bitcoin/peer-sources.ts'
import { proxyOfText } from './bitcoin/socks.ts'

/** `folder`: of the address book. */
export const filterSources = (
  network: Network,
  { folder, isProxied }: { readonly folder: string; readonly isProxied: boolean },
): PeerSources =>
  new PeerSources({
    network,
    bookPath: join(folder, `bitcoin-peers-${network.name}.bin`),
    filters: true,
    isProxied,
  })

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
