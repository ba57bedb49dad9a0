/**
 * What the control port of the local subnet is asked and answers: one JSON document each way.
 * Implements `docs/spec/ic-interface.md` §19, `docs/spec/cli.md` §§5.16 to 5.18.
 */
import type { JsonReader, Read } from '../../core/base/json.ts'
import {
  bigCount,
  count,
  flag,
  integer,
  list,
  matching,
  nullable,
  object,
  oneOf,
  text,
} from '../../core/base/json.ts'
import { MONEY_MAX } from '../../core/base/units.ts'
import { TOKENS_MAX } from '../../core/ic/subnet-descriptor.ts'
import { DELAY_MS_MAX, lieKinds } from '../../core/subnet/lies.ts'
import { attachableNetworks } from '../bitcoin-place.ts'
import { isolations } from '../isolation.ts'
import { accountShape as account } from './account-shape.ts'
import { minterShapes } from './minter-shapes.ts'
import { phases, transcriptShape } from './signing-transcript.ts'

/** Blocks of one request. */
export const BLOCKS_MAX = 10_000
/** Outputs of one payment of the faucet. */
export const OUTPUTS_MAX = 1_000
export const NODES_MAX = 40
/** Ways in which a node can be made to lie. */
export const faultKinds = lieKinds
export const FAULT_DELAY_MS_MAX = DELAY_MS_MAX
/** Transactions of the subnet in one status. */
export const OUTGOING_SHOWN_MAX = 100
const VOUT_MAX = 2 ** 32 - 1
const FEE_RATE_MSAT_MAX = 1_000_000_000

const money = integer(0, Number(MONEY_MAX))
/** Of blocks and transactions, as explorers show them. */
const hash = matching(/^[0-9a-f]{64}$/, '64 hexadecimal digits')
const hex = matching(/^(?:[0-9a-f]{2}){0,400000}$/, 'hexadecimal')
/** As long as what is signed may be: 2 MiB. */
const longHex = matching(/^(?:[0-9a-f]{2}){0,2097152}$/, 'hexadecimal of at most 2 MiB')
const scheme = oneOf('ecdsa', 'bip340', 'ed25519')

/** Payments in no block that one answer names. */
export const SIGHTINGS_MAX = 100
const sightings = list(object({ txid: hash, vout: count, amountSat: money }), SIGHTINGS_MAX)

const nothing = object({})

const mined = object({ height: count, hash, blocks: list(hash, BLOCKS_MAX) })

const party = object({ address: nullable(text), amountSat: money, isFaucet: flag })

/** The strongest evidence of a transaction of ours, and how long it has been so (bitcoin §10.4). */
const evidenceFields = {
  state: text,
  /** That were told of it, asked for it, or announced it to us, as the state says. */
  peers: count,
  ageMs: count,
  /** Why there is no more of it, or by which other one. */
  reason: nullable(text),
  /** What a replacement should pay, in satoshi per virtual byte. */
  bumpSatPerVb: nullable(count),
}
const evidence = object(evidenceFields)

const transaction = object({
  txid: hash,
  evidence: nullable(evidence),
  confirmations: count,
  height: nullable(count),
  vsize: count,
  feeSat: nullable(money),
  isCoinbase: flag,
  inputs: list(object({ txid: hash, vout: count, from: nullable(party) }), 100_000),
  outputs: list(party, 100_000),
  hex,
})

const output = object({
  type: oneOf('unspent', 'spent', 'unknown'),
  amountSat: nullable(money),
  script: nullable(hex),
  height: nullable(count),
})

const ids = object({ ledger: text, minter: text, index: text, checker: text, bitcoin: text })

/** A token beside ckBTC. */
const furtherToken = object({
  symbol: text,
  name: text,
  decimals: integer(0, 255),
  mintingAccount: text,
  ledger: text,
  index: text,
})

const nodeId = integer(1, NODES_MAX)
const nodeIds = list(nodeId, NODES_MAX)

/** How far the subnet is from being able to go on. */
const strength = {
  nodes: nodeId,
  nodesUp: nodeIds,
  /** For ordering and signing. */
  nodesNeeded: nodeId,
  /** Up, and made to lie. */
  nodesLying: nodeIds,
}

/** The longest ones. */
export const BANS_SHOWN_MAX = 20

/** A node of the user's that the subnet follows. */
const attached = object({
  address: text,
  network: oneOf(...attachableNetworks),
  /** Whether the subnet's own process is connected. */
  isConnected: flag,
  /** Nodes of the subnet that are. */
  nodesConnected: nodeIds,
  /** Of the best header that the node has shown. */
  shownHeight: count,
  tipHash: hash,
  tipTime: count,
  /** Blocks are on their way. */
  isCatchingUp: flag,
  /** Hosts that nodes do not use for a while, and until when, in Unix milliseconds. */
  bans: list(object({ host: text, reason: text, untilMs: count }), BANS_SHOWN_MAX),
  /** What somebody should know or do. */
  notes: list(text, 16),
})

export const statusShape = object({
  version: text,
  pid: count,
  url: text,
  rootKey: hex,
  subnetId: text,
  ids,
  tokens: list(furtherToken, TOKENS_MAX),
  idsKind: oneOf('own', 'mainnet'),
  ...strength,
  isolation: oneOf(...isolations),
  /** Of nodes that are down though nobody stopped them. */
  problems: list(object({ node: nodeId, problem: text }), NODES_MAX),
  /** What is wrong with Bitcoin: nothing is answered, or nothing minted. */
  alarms: list(text, 8),
  /** Calls and signatures that are not done yet. */
  waitingCalls: count,
  waitingSignatures: count,
  masterPublicKey: hex,
  bitcoinHeight: count,
  subnetBitcoinHeight: count,
  /** Null: the chain is its own. */
  attached: nullable(attached),
  /** Transactions that nodes announce, and how the last ones ended. */
  outgoing: list(object({ txid: hash, ...evidenceFields }), OUTGOING_SHOWN_MAX),
  minConfirmations: count,
  mining: text,
  waitingTransactions: count,
  presignatures: count,
  certifiedSlot: bigCount,
  health: text,
  startedAt: text,
  uptimeMs: count,
  isEphemeral: flag,
  diskBytes: nullable(count),
})

/** `changed`: nodes that are up now and were not, or the other way round. */
const changedNodes = object({
  ...strength,
  changed: nodeIds,
})

const nodeReport = object({
  id: nodeId,
  state: oneOf('up', 'starting', 'down', 'failed'),
  /** In which way it was made to lie. */
  lie: nullable(text),
  problem: nullable(text),
  /** Of the last signatures, those with a share of this node. */
  signatures: count,
  /** How long it took to answer just now; null: not up, or busy. */
  latencyMs: nullable(count),
  /** Found by other nodes. */
  faults: count,
  lastFault: nullable(text),
})

const namedKey = object({ keyId: text, publicKey: nullable(hex) })

/** Every operation: how its request and its answer are read. */
const shapes = {
  status: { request: nothing, reply: statusShape },
  stop: { request: nothing, reply: nothing },
  nodes: {
    request: nothing,
    reply: object({
      nodes: list(nodeReport, NODES_MAX),
      nodesUp: nodeIds,
      nodesNeeded: nodeId,
      /** The last ones, at most a hundred. */
      signatures: count,
    }),
  },
  'kill-node': { request: object({ ids: nodeIds }), reply: changedNodes },
  /** No ids: every node that is not up. */
  'heal-node': { request: object({ ids: nodeIds }), reply: changedNodes },
  'corrupt-node': {
    request: object({
      id: nodeId,
      fault: oneOf(...lieKinds),
      /** Of the fault `slow`. */
      delayMs: nullable(integer(1, DELAY_MS_MAX)),
    }),
    reply: changedNodes,
  },
  mine: {
    request: object({ count: integer(1, BLOCKS_MAX), to: nullable(text), empty: flag }),
    reply: mined,
  },
  faucet: {
    request: object({
      amountSat: money,
      to: text,
      outputs: integer(1, OUTPUTS_MAX),
      mine: flag,
    }),
    reply: object({ txid: hash, amountSat: money, address: text, blocks: list(hash, BLOCKS_MAX) }),
  },
  /** From then on what is paid there is minted without being asked for. */
  'deposit-address': { request: object({ account }), reply: object({ address: text }) },
  reorg: {
    request: object({ depth: integer(1, BLOCKS_MAX), dropTransactions: flag }),
    reply: object({
      oldTip: hash,
      newTip: hash,
      height: count,
      depth: count,
      unconfirmedTxids: list(hash, 100_000),
      minConfirmations: count,
    }),
  },
  tip: {
    request: nothing,
    reply: object({
      height: count,
      hash,
      time: count,
      waitingTransactions: count,
      /** Where the node of the chain listens for its kind. */
      peerHost: text,
      peerPort: integer(0, 65_535),
    }),
  },
  tx: { request: object({ txid: hash }), reply: nullable(transaction) },
  output: { request: object({ txid: hash, vout: integer(0, VOUT_MAX) }), reply: output },
  /** What waits in the mempool of the chain's node and pays an address: a hint, the first of them. */
  sightings: { request: object({ address: text }), reply: object({ outputs: sightings }) },
  /** `isTaken`: by the node of the chain; else it was announced, and nobody has said anything. */
  send: { request: object({ hex }), reply: object({ txid: hash, isTaken: flag }) },
  fee: {
    request: object({ rateMsatPerVb: nullable(integer(1, FEE_RATE_MSAT_MAX)) }),
    reply: nothing,
  },
  /** What the node of the chain takes and mines; absent: as it was started. */
  'minimum-fee': {
    request: object({ rateMsatPerVb: nullable(integer(1, FEE_RATE_MSAT_MAX)) }),
    reply: object({ rateMsatPerVb: count, droppedTxids: list(hash, 100_000) }),
  },
  'signer-info': {
    request: nothing,
    reply: object({
      nodes: nodeId,
      nodesUp: nodeIds,
      tolerates: count,
      sharesToSign: count,
      nodesToProgress: count,
      presignatures: count,
      /** Of the membership that holds the keys: a refresh raises it. */
      keyVersion: count,
      refresh: text,
      /** Nodes that may still be lost before the keys are. */
      margin: count,
      minterKey: namedKey,
      operatorKeys: object({ ecdsa: namedKey, bip340: namedKey, ed25519: namedKey }),
    }),
  },
  'signer-public-key': {
    request: object({ scheme, account: nullable(account) }),
    reply: object({
      keyId: text,
      masterPublicKey: hex,
      path: list(hex, 256),
      publicKey: hex,
      chainCode: hex,
    }),
  },
  'signer-sign': {
    /** `message`: of ecdsa its hash. */
    request: object({
      scheme,
      message: longHex,
      taprootRoot: nullable(hex),
      account: nullable(account),
      /** Whose shares are combined; null: whose come first. */
      only: nullable(nodeIds),
      transcript: flag,
    }),
    reply: object({
      signature: hex,
      publicKey: hex,
      keyId: text,
      nodes: nodeIds,
      /** Found to have given false shares. */
      blamed: nodeIds,
      /** Slots of the log from request to signature, both counted. */
      slots: count,
      /** Of the signature shares that the node which combined had; null: it did not tell. */
      shareBytes: nullable(count),
      ms: phases,
      /** Where it was asked for, and the node that combined has told it. */
      transcript: nullable(transcriptShape),
    }),
  },
  'signer-refresh': {
    request: nothing,
    reply: object({
      keyVersion: count,
      nodes: nodeId,
      nodesUp: nodeIds,
      margin: count,
      totalMs: count,
    }),
  },
  ...minterShapes,
} as const

type Shapes = typeof shapes
export type OperationName = keyof Shapes
/** What an operation is asked with, once it is read. */
export type RequestOf<N extends OperationName> = Read<Shapes[N]['request']>
export type ReplyOf<N extends OperationName> = Read<Shapes[N]['reply']>

export const operations: {
  readonly [N in OperationName]: {
    readonly request: JsonReader<RequestOf<N>>
    readonly reply: JsonReader<ReplyOf<N>>
  }
} = shapes

export type StatusReply = ReplyOf<'status'>
export type TransactionReply = NonNullable<ReplyOf<'tx'>>

export const isOperation = (name: string): name is OperationName => Object.hasOwn(operations, name)

/** A failure as it travels. */
export const failureShape = object({
  code: text,
  message: text,
  fix: text,
  command: nullable(text),
  details: (value: unknown): Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null ? { ...value } : {},
})

/** Larger requests are not read: room for the longest message to sign, in hexadecimal. */
export const REQUEST_BYTES_MAX = 5_000_000
/** Larger answers are not read. */
export const REPLY_BYTES_MAX = 32_000_000

/** JSON as both sides write it: what does not exist is null, whole numbers beyond 2^53 are text. */
export const wireJson = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, field: unknown) => {
    if (field === undefined) return null
    return typeof field === 'bigint' ? field.toString() : field
  })
