/** Parameters of the Bitcoin networks as one table. Source: `bitcoin.md` §2.1, §2.2. */
import type { BlockHash, Hash32 } from '../base/bytes.ts'
import { fromDisplayHex } from '../base/bytes.ts'

export type NetworkName = 'mainnet' | 'testnet3' | 'testnet4' | 'signet' | 'regtest'

/** Heights from which a soft fork binds. */
export type ForkHeights = {
  readonly bip34: number
  readonly bip66: number
  readonly bip65: number
  readonly csv: number
  readonly segwit: number
  readonly taproot: number
}

export type Genesis = {
  readonly time: number
  readonly nonce: number
  readonly bits: number
  readonly hash: BlockHash
  readonly merkleRoot: Hash32
}

export type Network = {
  readonly name: NetworkName
  /** First four bytes of every P2P message, in wire order. */
  readonly messageStart: readonly [number, number, number, number]
  readonly p2pPort: number
  readonly rpcPort: number
  readonly bech32Prefix: string
  readonly base58: { readonly p2pkh: number; readonly p2sh: number; readonly wif: number }
  readonly extendedKey: { readonly public: number; readonly private: number }
  readonly genesis: Genesis
  /** Largest target a header may have. */
  readonly powLimit: bigint
  readonly powLimitBits: number
  /** A block more than 20 minutes after its parent may have the lowest difficulty. */
  readonly minDifficultyBlocks: boolean
  /** Which block's bits a retarget scales; regtest never retargets. */
  readonly retarget: 'lastBlock' | 'firstBlock' | 'never'
  /** BIP94: the first block of a period is at most 600 s older than its parent. */
  readonly timewarpLimit: boolean
  readonly halvingInterval: number
  readonly forks: ForkHeights
  /** Cumulative work below which a chain is not believed; 0 where nobody mines for money. */
  readonly minimumWork: bigint
}

/** Where `minimumWork` of all networks is from, to be renewed with each of our releases (NET-1). */
export const minimumWorkOrigin = { release: 'Bitcoin Core 31.0', year: 2026, month: 4 } as const

const testnetBase58 = { p2pkh: 0x6f, p2sh: 0xc4, wif: 0xef } as const
const testnetExtendedKey = { public: 0x043587cf, private: 0x04358394 } as const
const powLimit = (1n << 224n) - 1n
const forksFromOne = { bip34: 1, bip66: 1, bip65: 1, csv: 1, segwit: 1, taproot: 1 } as const

const merkleRoot2009 = fromDisplayHex(
  '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b',
)

export const mainnet: Network = {
  name: 'mainnet',
  messageStart: [0xf9, 0xbe, 0xb4, 0xd9],
  p2pPort: 8333,
  rpcPort: 8332,
  bech32Prefix: 'bc',
  base58: { p2pkh: 0x00, p2sh: 0x05, wif: 0x80 },
  extendedKey: { public: 0x0488b21e, private: 0x0488ade4 },
  genesis: {
    time: 1231006505,
    nonce: 2083236893,
    bits: 0x1d00ffff,
    hash: fromDisplayHex('000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f'),
    merkleRoot: merkleRoot2009,
  },
  powLimit,
  powLimitBits: 0x1d00ffff,
  minDifficultyBlocks: false,
  retarget: 'lastBlock',
  timewarpLimit: false,
  halvingInterval: 210_000,
  forks: {
    bip34: 227_931,
    bip66: 363_725,
    bip65: 388_381,
    csv: 419_328,
    segwit: 481_824,
    taproot: 709_632,
  },
  minimumWork: 0x1_1287_50f8_2f4c_3661_53a3_a030n,
}

export const testnet3: Network = {
  name: 'testnet3',
  messageStart: [0x0b, 0x11, 0x09, 0x07],
  p2pPort: 18333,
  rpcPort: 18332,
  bech32Prefix: 'tb',
  base58: testnetBase58,
  extendedKey: testnetExtendedKey,
  genesis: {
    time: 1296688602,
    nonce: 414098458,
    bits: 0x1d00ffff,
    hash: fromDisplayHex('000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943'),
    merkleRoot: merkleRoot2009,
  },
  powLimit,
  powLimitBits: 0x1d00ffff,
  minDifficultyBlocks: true,
  retarget: 'lastBlock',
  timewarpLimit: false,
  halvingInterval: 210_000,
  forks: {
    bip34: 21_111,
    bip66: 330_776,
    bip65: 581_885,
    csv: 770_112,
    segwit: 834_624,
    taproot: 2_011_968,
  },
  minimumWork: 0x17dd_e1c6_49f3_708d_14b6n,
}

export const testnet4: Network = {
  name: 'testnet4',
  messageStart: [0x1c, 0x16, 0x3f, 0x28],
  p2pPort: 48333,
  rpcPort: 48332,
  bech32Prefix: 'tb',
  base58: testnetBase58,
  extendedKey: testnetExtendedKey,
  genesis: {
    time: 1714777860,
    nonce: 393743547,
    bits: 0x1d00ffff,
    hash: fromDisplayHex('00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043'),
    merkleRoot: fromDisplayHex('7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e'),
  },
  powLimit,
  powLimitBits: 0x1d00ffff,
  minDifficultyBlocks: true,
  retarget: 'firstBlock',
  timewarpLimit: true,
  halvingInterval: 210_000,
  forks: forksFromOne,
  minimumWork: 0x9a0_fe15_d017_7d08_6304n,
}

export const signet: Network = {
  name: 'signet',
  messageStart: [0x0a, 0x03, 0xcf, 0x40],
  p2pPort: 38333,
  rpcPort: 38332,
  bech32Prefix: 'tb',
  base58: testnetBase58,
  extendedKey: testnetExtendedKey,
  genesis: {
    time: 1598918400,
    nonce: 52613770,
    bits: 0x1e0377ae,
    hash: fromDisplayHex('00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6'),
    merkleRoot: merkleRoot2009,
  },
  powLimit: 0x377aen << 216n,
  powLimitBits: 0x1e0377ae,
  minDifficultyBlocks: false,
  retarget: 'lastBlock',
  timewarpLimit: false,
  halvingInterval: 210_000,
  forks: forksFromOne,
  minimumWork: 0xb46_3ea0_a4b8n,
}

export const regtest: Network = {
  name: 'regtest',
  messageStart: [0xfa, 0xbf, 0xb5, 0xda],
  p2pPort: 18444,
  rpcPort: 18443,
  bech32Prefix: 'bcrt',
  base58: testnetBase58,
  extendedKey: testnetExtendedKey,
  genesis: {
    time: 1296688602,
    nonce: 2,
    bits: 0x207fffff,
    hash: fromDisplayHex('0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206'),
    merkleRoot: merkleRoot2009,
  },
  powLimit: (1n << 255n) - 1n,
  powLimitBits: 0x207fffff,
  minDifficultyBlocks: true,
  retarget: 'never',
  timewarpLimit: false,
  halvingInterval: 150,
  forks: { ...forksFromOne, segwit: 0 },
  minimumWork: 0n,
}

export const networks: Readonly<Record<NetworkName, Network>> = {
  mainnet,
  testnet3,
  testnet4,
  signet,
  regtest,
}
