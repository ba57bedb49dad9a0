/** What the Bitcoin adapter says of itself. Source: `docs/spec/bitcoin.md` §3.8 AD-6, AD-7, MB-3. */
import type { AdapterBlocks } from './adapter-blocks.ts'
import type { AdapterHeaders } from './adapter-headers.ts'
import type { AdapterLinks, OpenLink } from './adapter-links.ts'
import type { AdapterStatus } from './adapter-port.ts'
import { isLoopback, networkGroup } from './network-address.ts'

/** Of one peer alone it cannot be told whether it hides something (AD-6). */
export const CONNECTIONS_MIN = 2

type Parts = {
  readonly links: AdapterLinks
  readonly headers: AdapterHeaders
  readonly blocks: AdapterBlocks
  readonly isIdle: boolean
  /** No peers but the configured ones. */
  readonly isConnectOnly: boolean
}

export function adapterStatus(parts: Parts): AdapterStatus {
  const { links, isIdle } = parts
  return {
    state: isIdle ? 'idle' : isCurrent(parts) ? 'current' : 'catching up',
    peers: links.status,
    bans: links.bans,
    eclipseRisk: eclipseRisk(links.ready),
  }
}

/** Enough peers have shown all their headers, and no block is missing. */
function isCurrent({ links, headers, blocks, isConnectOnly }: Parts): boolean {
  const { ready } = links
  const due = isConnectOnly ? Math.min(CONNECTIONS_MIN, links.all.length) : CONNECTIONS_MIN
  const areShown = ready.every(({ peer }) => headers.syncOf(peer)?.isSettled === true)
  return ready.length >= due && areShown && blocks.isComplete
}

/** One peer that the user named is his choice; any other group that is the only one is not. */
function eclipseRisk(ready: readonly OpenLink[]): string | undefined {
  const hosts = ready.map(({ address }) => address.host)
  const isChoice = ready.length === 1 && ready[0]?.role === 'named'
  if (ready.length === 0 || isChoice || hosts.some(isLoopback)) return undefined
  const groups = new Set(hosts.map(networkGroup))
  return groups.size === 1 ? [...groups][0] : undefined
}
