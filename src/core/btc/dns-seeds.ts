/** Names that know addresses of peers. Source: `docs/spec/bitcoin.md` §2.4, NET-2. */
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
