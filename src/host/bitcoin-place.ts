/** Where a subnet finds the Bitcoin node that it follows. Source: `docs/spec/cli.md` §5.16. */
import type { NetworkName } from '../core/btc/network.ts'

/** Networks that a subnet may stand on. */
export const attachableNetworks = ['regtest', 'signet'] as const
export type AttachableNetwork = Extract<NetworkName, (typeof attachableNetworks)[number]>

/** A node of the user's. */
export type BitcoinPlace = {
  readonly host: string
  readonly port: number
  /** Undefined until the node was asked. */
  readonly network: AttachableNetwork | undefined
}

export type AttachedPlace = BitcoinPlace & { readonly network: AttachableNetwork }

const PORT_MAX = 65_535

/** Reads `host:port`; IPv6 addresses stand in brackets. */
export function placeOfText(text: string): BitcoinPlace | undefined {
  const [, host = '', digits = ''] = /^(\[[0-9a-fA-F:]+\]|[^:\s[\]]+):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (host === '' || port < 1 || port > PORT_MAX) return undefined
  return { host: host.replace(/^\[|\]$/g, '').toLowerCase(), port, network: undefined }
}

export const textOfPlace = ({ host, port }: Pick<BitcoinPlace, 'host' | 'port'>): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
