/**
 * JSON-RPC of the regtest node as Bitcoin Core 28 speaks it: one request or a batch, version 1 or 2.
 * Source: `docs/spec/bitcoin.md` RN-21; Bitcoin Core `httprpc.cpp`, `rpc/request.cpp`.
 */
import { chainMethods } from './chain-methods.ts'
import { controlMethods } from './control-methods.ts'
import type { Json } from './json.ts'
import { RpcFailure, rpcCode, writeJson } from './json.ts'
import type { Methods, RpcContext } from './method.ts'
import { readParameters } from './parameters.ts'
import { transactionMethods } from './transaction-methods.ts'

const methods: Methods = { ...chainMethods, ...transactionMethods, ...controlMethods }

export const rpcMethods: readonly string[] = Object.keys(methods)

/** Calls in one batch. */
export const BATCH_MAX = 10_000

export type RpcBody =
  | { readonly type: 'single'; readonly call: unknown }
  | { readonly type: 'batch'; readonly calls: readonly unknown[] }
  /** No request at all. */
  | { readonly type: 'answer'; readonly answer: RpcAnswer }

/** `text` is empty for a notification, which has no answer. */
export type RpcAnswer = { readonly status: number; readonly text: string }

export function parseBody(body: string): RpcBody {
  const value = parsed(body)
  if (value === undefined) return refusedWhole(rpcCode.parseError, 'Parse error')
  if (Array.isArray(value)) {
    if (value.length <= BATCH_MAX) return { type: 'batch', calls: value }
    return refusedWhole(rpcCode.invalidRequest, `more than ${BATCH_MAX} calls in a batch`)
  }
  if (typeof value === 'object' && value !== null) return { type: 'single', call: value }
  return refusedWhole(rpcCode.parseError, 'Top-level object parse error')
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const refusedWhole = (code: number, message: string): RpcBody => ({
  type: 'answer',
  answer: reply({ id: null, isSecond: false }, new RpcFailure(code, message)),
})

type Envelope = { readonly id: Json; readonly isSecond: boolean }

/** Total: what is wrong with a call is its answer. */
export function answerCall(call: unknown, context: RpcContext): RpcAnswer {
  const isObject = typeof call === 'object' && call !== null && !Array.isArray(call)
  const fields = new Map(isObject ? Object.entries(call) : [])
  const id = fields.get('id')
  const isSecond = fields.get('jsonrpc') === '2.0'
  const envelope = { id: isIdentity(id) ? id : null, isSecond }
  try {
    if (!isObject) throw new RpcFailure(rpcCode.invalidRequest, 'Invalid Request object')
    const result = run(fields, context)
    return isSecond && id === undefined ? { status: 204, text: '' } : reply(envelope, result)
  } catch (error) {
    if (!(error instanceof RpcFailure)) throw error
    return isSecond && id === undefined ? { status: 204, text: '' } : reply(envelope, error)
  }
}

const isIdentity = (id: unknown): id is string | number | null =>
  id === null || typeof id === 'string' || typeof id === 'number'

function run(fields: ReadonlyMap<string, unknown>, context: RpcContext): Json {
  const version = fields.get('jsonrpc') ?? '1.0'
  const name = fields.get('method') ?? undefined
  const given = fields.get('params')
  if (typeof version !== 'string')
    throw new RpcFailure(rpcCode.invalidRequest, 'jsonrpc field must be a string')
  if (version !== '1.0' && version !== '2.0')
    throw new RpcFailure(rpcCode.invalidRequest, 'JSON-RPC version not supported')
  if (name === undefined) throw new RpcFailure(rpcCode.invalidRequest, 'Missing method')
  if (typeof name !== 'string')
    throw new RpcFailure(rpcCode.invalidRequest, 'Method must be a string')
  if (given !== undefined && given !== null && typeof given !== 'object')
    throw new RpcFailure(rpcCode.invalidRequest, 'Params must be an array or object')
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (method === undefined) throw new RpcFailure(rpcCode.methodNotFound, 'Method not found')
  return method.run(context, readParameters(name, method.parameters, given))
}

function reply({ id, isSecond }: Envelope, outcome: Json | RpcFailure): RpcAnswer {
  const failure = outcome instanceof RpcFailure ? outcome : undefined
  const error = failure && { code: failure.code, message: failure.message }
  const body: { readonly [name: string]: Json | undefined } = isSecond
    ? { jsonrpc: '2.0', result: outcome instanceof RpcFailure ? undefined : outcome, error, id }
    : { result: outcome instanceof RpcFailure ? null : outcome, error: error ?? null, id }
  return { status: isSecond ? 200 : statusOf(failure?.code), text: writeJson(body) }
}

/** Of version 1, where the status tells of an error too. */
function statusOf(code: number | undefined): number {
  if (code === undefined) return 200
  if (code === rpcCode.invalidRequest) return 400
  return code === rpcCode.methodNotFound ? 404 : 500
}
