/**
 * What a network is, and the two that are built in. Implements cli §3.4, IC interface §21.1, minter
 * §1.2.
 */
import { equalBytes, fromHex } from '../core/base/bytes.ts'
import type { NetworkName } from '../core/btc/network.ts'
import { mainnetCanisterIds } from '../core/ic/canister-ids.ts'
import type { Principal } from '../core/ic/principal.ts'
import { principalOfText } from '../core/ic/principal.ts'
import type { BitcoinNetwork } from '../core/minter/types.ts'
import type { Token } from './token.ts'

/** The Bitcoin networks that a ckBTC may stand on; on signet only one on this machine. */
export type BitcoinKind = Extract<NetworkName, 'mainnet' | 'testnet4' | 'signet' | 'regtest'>

export type NetworkIds = {
  readonly ledger: Principal
  readonly minter: Principal
  readonly index?: Principal | undefined
  readonly bitcoin?: Principal | undefined
}

/** A node's key by its id, for queries that verify before any certificate has been read. */
export type NodeKey = { readonly id: Principal; readonly publicKey: Uint8Array }

/** Where the root key is from; a fetched one is believed because it was there first. */
export type RootKeyOrigin = 'descriptor' | 'pinned' | 'given' | 'fetched'

export type Network = {
  readonly name: string
  readonly kind: 'local' | 'built-in' | 'custom'
  readonly url: string
  readonly bitcoin: BitcoinKind
  readonly ids: NetworkIds
  /** DER, 133 bytes. */
  readonly rootKey: Uint8Array
  readonly rootKeyOrigin: RootKeyOrigin
  /** Of the running subnet; elsewhere they come with a certificate. */
  readonly nodeKeys: readonly NodeKey[] | undefined
  /** SEC1 keys from which the minter's may be derived; none where they are not known. */
  readonly masterKeys: readonly Uint8Array[]
  /** Its own first; there where it has further ones. */
  readonly tokens?: readonly Token[] | undefined
  /** Whose ledger and index `ids` names; its own unless it is there. */
  readonly token?: Token | undefined
}

export const DEFAULT_NETWORK = 'local'

/** Root key of the Internet Computer; never fetched. IC interface §27.4. */
export const MAINNET_ROOT_KEY = fromHex(
  '308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100814c0e6ec71fab583b08' +
    'bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc5341583bf4b4392e467db' +
    '96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae',
)

/** ECDSA master keys of the Internet Computer. Threshold specification, annex A.5. */
const KEY_1 = fromHex('02121bc3a5c38f38ca76487c72007ebbfd34bc6c4cb80a671655aa94585bbd0a02')
const TEST_KEY_1 = fromHex('02f9ac345f6be6db51e1c5612cddb59e72c3d0d493c994d12035cf13257e3b1fa7')

const INTERNET_COMPUTER = {
  kind: 'built-in',
  url: 'https://icp-api.io',
  rootKey: MAINNET_ROOT_KEY,
  rootKeyOrigin: 'pinned',
  nodeKeys: undefined,
} as const

export const ic: Network = {
  ...INTERNET_COMPUTER,
  name: 'ic',
  bitcoin: 'mainnet',
  ids: {
    ledger: mainnetCanisterIds.ledger,
    minter: mainnetCanisterIds.minter,
    index: mainnetCanisterIds.index,
    bitcoin: principalOfText('ghsi2-tqaaa-aaaan-aaaca-cai'),
  },
  masterKeys: [KEY_1],
}

export const testnet4: Network = {
  ...INTERNET_COMPUTER,
  name: 'testnet4',
  bitcoin: 'testnet4',
  ids: {
    ledger: principalOfText('mc6ru-gyaaa-aaaar-qaaaq-cai'),
    minter: principalOfText('ml52i-qqaaa-aaaar-qaaba-cai'),
    index: principalOfText('mm444-5iaaa-aaaar-qaabq-cai'),
    bitcoin: principalOfText('g4xu7-jiaaa-aaaan-aaaaq-cai'),
  },
  masterKeys: [KEY_1, TEST_KEY_1], // Which of the two is not published (minter §25).
}

export const builtIn: readonly Network[] = [ic, testnet4]

/** Names that `network add` cannot take. */
export const reservedNames: readonly string[] = [
  DEFAULT_NETWORK,
  ...builtIn.map(({ name }) => name),
]

/** Whether its coins are worth money. */
export const hasRealFunds = ({ bitcoin }: Pick<Network, 'bitcoin'>): boolean =>
  bitcoin === 'mainnet'

/** What amounts are called (cli §3.1). */
export const symbolsOf = ({
  bitcoin,
}: Pick<Network, 'bitcoin'>): { readonly bitcoin: string; readonly token: string } =>
  bitcoin === 'testnet4'
    ? { bitcoin: 'tBTC', token: 'ckTESTBTC' }
    : { bitcoin: 'BTC', token: 'ckBTC' }

/** The minter's name of the Bitcoin network. */
export const minterNetworkOf = ({ bitcoin }: Pick<Network, 'bitcoin'>): BitcoinNetwork =>
  bitcoin === 'testnet4' || bitcoin === 'signet' ? 'testnet' : bitcoin

/** Ids that a signed request could be carried to on the Internet Computer (§21.4). */
const deployedIds = [
  ...Object.values(mainnetCanisterIds),
  ...builtIn.flatMap(({ ids: { ledger, minter } }) => [ledger, minter]),
]

/** Whether a request that is signed for this network is also good for the Internet Computer. */
export const sharesDeployedIds = ({ ids }: Pick<Network, 'ids'>): boolean =>
  [ids.ledger, ids.minter].some((id) => deployedIds.some((deployed) => equalBytes(id, deployed)))
