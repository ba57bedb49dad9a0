/**
 * The descriptor of the running local subnet: what clients on this machine need to find and verify
 * it. Implements `docs/spec/ic-interface.md` §§21.1, 21.3, `docs/spec/cli.md` §3.14.
 */
import { equalBytes, toHex } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import type { JsonReader } from '../base/json.ts'
import {
  exactly,
  hexBytes,
  integer,
  list,
  matching,
  object,
  oneOf,
  parseJson,
  text,
} from '../base/json.ts'
import type { Account } from './account.ts'
import { accountOfText, textOfAccount } from './account.ts'
import type { Principal } from './principal.ts'
import { principalOfText, selfAuthenticating, textOfPrincipal } from './principal.ts'
import { decodePublicKey } from './public-key.ts'

const VERSION = 1
const NODES_MAX = 40
const PID_MAX = 2 ** 31 - 1
const MASTER_KEY_SIZE = 33
const DECIMALS_MAX = 255
/** Tokens of one subnet beside ckBTC. There are ids for more of them (IC interface §3.1). */
export const TOKENS_MAX = 16
/** Larger files are not read. */
export const DESCRIPTOR_BYTES_MAX = 65_536

export type NodeKey = {
  readonly id: Principal
  /** DER, Ed25519. */
  readonly publicKey: Uint8Array
}

export type SubnetDescriptor = {
  readonly pid: number
  /** Of the IC interface, without a path. */
  readonly url: string
  /** Socket of the control port. */
  readonly controlPath: string
  /** RFC 3339, UTC. */
  readonly startedAt: string
  /** DER, 133 bytes. */
  readonly rootKey: Uint8Array
  readonly subnetId: Principal
  readonly nodeKeys: readonly NodeKey[]
  /** SEC1, compressed: the ECDSA key from which the minter's addresses are derived. */
  readonly masterPublicKey: Uint8Array
  readonly ids: {
    readonly ledger: Principal
    readonly minter: Principal
    readonly index: Principal
    readonly checker: Principal
    readonly bitcoin: Principal
  }
  readonly nodes: number
  readonly network: 'regtest' | 'signet'
  /** `auto`, `manual` or the time between two blocks: `10s`; `none`: the chain is another's. */
  readonly mining: string
  /** The tokens beside ckBTC, in the order of their ids. */
  readonly tokens: readonly FurtherToken[]
}

/** A chain-key token beside ckBTC, as it was founded. */
export type FurtherToken = {
  readonly symbol: string
  readonly name: string
  readonly decimals: number
  readonly mintingAccount: Account
  readonly ledger: Principal
  readonly index: Principal
}

const id: JsonReader<Principal> = (value, where) => principalOfText(text(value, where))

const account: JsonReader<Account> = (value, where) => accountOfText(text(value, where))

const ids = object({ ledger: id, minter: id, index: id, checker: id, bitcoin: id })

const descriptor = object({
  version: exactly(VERSION),
  pid: integer(1, PID_MAX),
  url: matching(/^http:\/\/[^\s/]{1,255}$/, 'an http address without a path'),
  controlPath: text,
  startedAt: matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/, 'a time in UTC'),
  rootKey: hexBytes,
  subnetId: id,
  nodeKeys: list(object({ id, publicKey: hexBytes }), NODES_MAX),
  masterPublicKey: hexBytes,
  ids,
  nodes: integer(1, NODES_MAX),
  network: oneOf('regtest', 'signet'),
  mining: matching(/^(?:auto|manual|none|[1-9]\d*[smhd])$/, 'a way of mining'),
  tokens: list(
    object({
      symbol: text,
      name: text,
      decimals: integer(0, DECIMALS_MAX),
      mintingAccount: account,
      ledger: id,
      index: id,
    }),
    TOKENS_MAX,
  ),
})

/** Reads the file's text; anything but a descriptor of this version is `BadEncoding`. */
export function decodeDescriptor(source: string): SubnetDescriptor {
  if (source.length > DESCRIPTOR_BYTES_MAX) throw new BadEncoding('longer than any descriptor')
  const { version: _, ...read } = parseJson(source, descriptor)
  if (decodePublicKey(read.rootKey).type !== 'bls12381')
    throw new BadEncoding('the root key is no BLS key')
  if (!equalBytes(read.subnetId, selfAuthenticating(read.rootKey)))
    throw new BadEncoding('the subnet id is not that of the root key')
  if (read.nodeKeys.length !== read.nodes) throw new BadEncoding('every node has one key')
  for (const node of read.nodeKeys) requireNodeKey(node)
  const [sign] = read.masterPublicKey
  if (read.masterPublicKey.length !== MASTER_KEY_SIZE || (sign !== 2 && sign !== 3))
    throw new BadEncoding('the master public key is no compressed point')
  return read
}

function requireNodeKey({ id: node, publicKey }: NodeKey): void {
  if (decodePublicKey(publicKey).type !== 'ed25519')
    throw new BadEncoding('the key of a node is no Ed25519 key')
  if (!equalBytes(node, selfAuthenticating(publicKey)))
    throw new BadEncoding('the id of a node is not that of its key')
}

export function encodeDescriptor(value: SubnetDescriptor): string {
  const { pid, url, controlPath, startedAt, nodes, network, mining, tokens } = value
  const document = {
    version: VERSION,
    pid,
    url,
    controlPath,
    startedAt,
    rootKey: toHex(value.rootKey),
    subnetId: textOfPrincipal(value.subnetId),
    nodeKeys: value.nodeKeys.map((node) => ({
      id: textOfPrincipal(node.id),
      publicKey: toHex(node.publicKey),
    })),
    masterPublicKey: toHex(value.masterPublicKey),
    ids: Object.fromEntries(
      Object.entries(value.ids).map(([name, canister]) => [name, textOfPrincipal(canister)]),
    ),
    nodes,
    network,
    mining,
    tokens: tokens.map((token) => ({
      ...token,
      mintingAccount: textOfAccount(token.mintingAccount),
      ledger: textOfPrincipal(token.ledger),
      index: textOfPrincipal(token.index),
    })),
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}
