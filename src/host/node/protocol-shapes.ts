/**
 * Messages of the protocol between subnet and node as they come out of a socket: their kind and the
 * fields that are used before anybody looks closer.
 */
import { BadEncoding } from '../../core/base/errors.ts'
import type { FromNode, SharedOutput, ToNode } from './protocol.ts'

type Check = (value: unknown) => boolean
type Fields = Readonly<Record<string, Check>>
type Kinds = Readonly<Record<string, Fields>>

const bytes: Check = (value) => value instanceof Uint8Array
const word: Check = (value) => typeof value === 'string'
const index: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0
const number: Check = (value) => typeof value === 'number'
const big: Check = (value) => typeof value === 'bigint'
const flag: Check = (value) => typeof value === 'boolean'
const some: Check = (value) => typeof value === 'object' && value !== null
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value))
const all: Check = (value) => value === 'all'

const isRecordOf =
  (fields: Fields): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null) return false
    const entries: Readonly<Record<string, unknown>> = { ...value }
    return Object.entries(fields).every(([name, check]) => check(entries[name]))
  }

/** Whether a value is of one of the kinds, and has the fields of its kind. */
function isOneOf(kinds: Kinds): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null || !('type' in value)) return false
    const { type } = value
    if (typeof type !== 'string' || !Object.hasOwn(kinds, type)) return false
    const entries: Readonly<Record<string, unknown>> = { ...value }
    return Object.entries(kinds[type] ?? {}).every(([name, check]) => check(entries[name]))
  }
}

const outputs: { readonly [T in SharedOutput['type']]: Fields } = {
  send: { to: either(index, all), bytes },
  fault: { culprit: index, reason: word },
  certified: {
    slot: big,
    time: big,
    requests: listOf(bytes),
    isFull: flag,
    certificationKey: bytes,
  },
  diverged: { slot: big, own: bytes, other: bytes },
  observed: {
    event: isOneOf({
      keyMade: { publicKey: bytes },
      operatorKey: { publicKey: bytes },
      operatorSigned: { requestId: bytes, signature: bytes, askedSlot: big, slot: big },
      signed: { requestId: bytes, by: listOf(index), tookMs: optional(number) },
      signingReport: { requestId: bytes, report: some },
      withheld: { txid: bytes, reason: word },
      alarmed: { text: word },
      executed: {
        slot: big,
        bitcoinHeight: index,
        alarms: listOf(word),
        stock: index,
        openRequests: index,
        version: big,
        refresh: word,
      },
    }),
  },
}

const answers: Kinds = {
  query: { body: bytes },
  readState: {
    outcome: isOneOf({
      certificate: { certificate: bytes },
      refused: { status: index, reason: word },
    }),
  },
  certificates: { certificates: listOf(optional(bytes)) },
  bitcoin: {
    isConnected: flag,
    shownHeight: index,
    lastOffence: optional(word),
    bans: listOf(isRecordOf({ host: word, reason: word, untilMs: number })),
    eclipseRisk: optional(word),
    transactions: listOf(some),
  },
}

const fromNode: { readonly [T in FromNode['type']]: Fields } = {
  keys: { signingKey: bytes, encryptionKey: bytes, port: optional(index) },
  link: { peer: optional(index), state: word },
  outputs: { outputs: listOf(isOneOf(outputs)) },
  answer: { id: index, answer: isOneOf(answers) },
  closed: {},
  failed: { problem: some },
  bug: { message: word },
}

const toNode: { readonly [T in ToNode['type']]: Fields } = {
  create: { storage: some },
  start: { me: index, genesis: bytes, settings: some },
  input: { input: some },
  ask: { id: index, question: some },
  peers: { ports: listOf(optional(index)) },
  corrupt: { lie: optional(some) },
  kill: {},
  close: {},
}

/** What the subnet hears of a node. Throws `BadEncoding`. */
export const readFromNode = (value: unknown): FromNode => read<FromNode>(value, isOneOf(fromNode))

/** What a node hears of the subnet that started it. Throws `BadEncoding`. */
export const readToNode = (value: unknown): ToNode => read<ToNode>(value, isOneOf(toNode))

function read<M>(value: unknown, check: Check): M {
  if (!check(value)) throw new BadEncoding('a message of no known kind and shape')
  return value as M
}
