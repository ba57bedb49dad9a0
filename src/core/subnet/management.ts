/**
 * The management canister, as far as users reach it: what a controller asks about a canister.
 * Implements `docs/spec/ic-interface.md` §18. What canisters ask it is in
 * `key-calls.ts` and `canister-calls.ts`.
 */
import { equalBytes } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { CallReply, Rejection } from '../ic/call-reply.ts'
import { rejected } from '../ic/call-reply.ts'
import { decodeArgs, encodeArgs, principalCodec, query } from '../ic/candid.ts'
import { record } from '../ic/candid-records.ts'
import type { CanisterStatus } from '../ic/canister-status.ts'
import { managementStatusCodec } from '../ic/canister-status.ts'
import type { Principal } from '../ic/principal.ts'
import { textOfPrincipal } from '../ic/principal.ts'
import { isBitcoinCall } from './bitcoin-interface.ts'
import type { Canister } from './canister.ts'
import { moduleHash } from './canister.ts'
import type { CanisterCall } from './dispatch.ts'
import { isKeyMethod } from './key-interface.ts'

export const managementInterface = {
  canister_status: query([record({ canister_id: principalCodec })], managementStatusCodec),
}

export const isManagement = (id: Principal): boolean => id.length === 0

/** People will try to deploy their application here: the words say why that cannot be. */
const hostsNothingElse = rejected(
  'IC0407',
  'This subnet hosts ckBTC only. It cannot run user canisters.',
)

/** Why no user may call the method; undefined for those that users may. */
export function refusedMethod(methodName: string): Rejection | undefined {
  if (Object.hasOwn(managementInterface, methodName)) return undefined
  return isKeyMethod(methodName) || isBitcoinCall(methodName)
    ? rejected('IC0406', `Only canisters can call ic00 method ${methodName}`)
    : hostsNothingElse
}

/** The canister that a call is about; undefined when its argument does not say. */
export function subjectOf({
  methodName,
  arg,
}: Pick<CanisterCall, 'methodName' | 'arg'>): Principal | undefined {
  if (refusedMethod(methodName) !== undefined) return undefined
  const args = attempt(() => decodeArgs(managementInterface.canister_status.args, arg))
  return args instanceof BadEncoding ? undefined : args[0].canisterId
}

/** Answers a call or a query of the management canister. */
export function manage(
  call: CanisterCall,
  {
    controller,
    find,
  }: {
    readonly controller: Principal
    readonly find: (id: Principal) => Pick<Canister, 'id' | 'name'> | undefined
  },
): CallReply {
  const { methodName, caller } = call
  const refusal = refusedMethod(methodName)
  if (refusal !== undefined) return refusal
  const subject = subjectOf(call)
  if (subject === undefined)
    return rejected('IC0408', `Error decoding candid of the argument of ${methodName}`)
  const canister = find(subject)
  const text = textOfPrincipal(subject)
  if (canister === undefined) return rejected('IC0301', `Canister ${text} not found`)
  if (!equalBytes(caller, controller) && !equalBytes(caller, subject))
    return rejected(
      'IC0512',
      `Only controllers of canister ${text} can call ic00 method ${methodName}`,
    )
  const status = statusOf(canister, controller)
  return { type: 'replied', arg: encodeArgs([managementStatusCodec], [status]) }
}

/** An embedded canister pays none and never runs out of them. */
const CYCLES = 1_000_000_000_000_000n
const FREEZING_THRESHOLD_S = 30n * 86_400n

/** Neither memory nor queries are measured: their figures are zero. */
export function statusOf({ name }: Pick<Canister, 'name'>, controller: Principal): CanisterStatus {
  return {
    status: 'running',
    readyForMigration: false,
    version: 1n,
    memorySize: 0n,
    cycles: CYCLES,
    settings: {
      controllers: [controller],
      computeAllocation: 0n,
      memoryAllocation: 0n,
      freezingThreshold: FREEZING_THRESHOLD_S,
      reservedCyclesLimit: 0n,
      logVisibility: { type: 'controllers' },
      snapshotVisibility: { type: 'controllers' },
      wasmMemoryLimit: 0n,
      wasmMemoryThreshold: 0n,
      environmentVariables: [],
    },
    idleCyclesBurnedPerDay: 0n,
    moduleHash: moduleHash(name),
    queryStats: {
      numCallsTotal: 0n,
      numInstructionsTotal: 0n,
      requestPayloadBytesTotal: 0n,
      responsePayloadBytesTotal: 0n,
    },
    reservedCycles: 0n,
    memoryMetrics: {
      wasmMemorySize: 0n,
      stableMemorySize: 0n,
      globalMemorySize: 0n,
      wasmBinarySize: 0n,
      customSectionsSize: 0n,
      canisterHistorySize: 0n,
      wasmChunkStoreSize: 0n,
      snapshotsSize: 0n,
    },
  }
}
