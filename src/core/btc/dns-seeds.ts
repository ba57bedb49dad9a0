/** Names that know addresses of peers. Source: `docs/spec/bitcoin.md` §2.4, NET-2. */
import type { PeerAddress } from './adapter-port.ts'
import type { NetworkName } from './network.ts'

export const dnsSeeds: Readonly<Record<NetworkName, readonly string[]>> = {
  mainnet: [
    'seed.bitcoin.sipa.be',
    'dnsseed.bluematt.me',
    'seed.bitcoin.jonasschnelli.ch',
    'seed.btc.petertodd.net',
    'seed.bitcoin.sprovoost.nl',
    'dnsseed.emzy.de',
    'seed.bitcoin.wiz.biz',
    'seed.mainnet.achownodes.xyz',
    'dnsseed.bitcoin.dashjr-list-of-p2p-nodes.us',
  ],
  testnet3: [
    'testnet-seed.bitcoin.jonasschnelli.ch',
    'seed.tbtc.petertodd.net',
    'seed.testnet.bitcoin.sprovoost.nl',
    'testnet-seed.bluematt.me',
    'seed.testnet.achownodes.xyz',
  ],
  testnet4: ['seed.testnet4.bitcoin.sprovoost.nl', 'seed.testnet4.wiz.biz'],
  signet: ['seed.signet.bitcoin.sprovoost.nl', 'seed.signet.achownodes.xyz'],
  regtest: [],
}

/** Sub-domain that asks for peers with compact filters: NETWORK, WITNESS, COMPACT_FILTERS. */
export const FILTER_SEED_PREFIX = 'x49.'

/** Sub-domain that asks for peers with blocks and witnesses: NETWORK, WITNESS. */
export const BLOCK_SEED_PREFIX = 'x9.'

const at = (port: number, ...hosts: readonly string[]): readonly PeerAddress[] =>
  hosts.map((host) => ({ host, port }))

/**
 * Where nobody else knows anybody (AD-1): of the lists that Bitcoin Core ships, addresses of
 * version 4, each of another group and operator. As of 2026.
 */
export const fixedPeers: Readonly<Record<NetworkName, readonly PeerAddress[]>> = {
  mainnet: [],
  testnet3: [],
  testnet4: at(
    48_333,
    '51.158.61.33',
    '65.108.143.22',
    '95.141.35.117',
    '103.99.169.203',
    '158.220.90.103',
    '198.58.102.18',
    '208.68.4.50',
    '217.31.57.128',
  ),
  signet: at(
    38_333,
    '37.120.177.204',
    '51.79.229.113',
    '95.141.35.117',
    '159.203.133.144',
    '172.105.179.233',
    '176.9.62.27',
    '195.137.245.93',
    '208.68.4.50',
  ),
  regtest: [],
}
