/**
 * What the SDK throws, in our codes: refused, unreachable, not to be believed, or unknown.
 * Implements cli §6, IC interface §21.2, §21.5.
 */
import {
  AgentError,
  CertificateOutdatedErrorCode,
  CertificateTimeErrorCode,
  HttpErrorCode,
  IngressExpiryInvalidErrorCode,
  RejectError,
} from '@icp-sdk/core/agent'
import { CanisterRefused, CkbtcError, Interrupted, Problem } from '../../core/base/errors.ts'

/** Whom the words of a refusal are from. */
export type Callee = {
  readonly canister: 'ledger' | 'minter'
  readonly methodName: string
}

/** Errors of ours that the library has wrapped, or that it passed on. */
export function ownErrorIn(error: unknown): CkbtcError | undefined {
  let at: unknown = error
  for (let depth = 0; depth < 8 && at instanceof Object; depth++) {
    if (at instanceof CkbtcError) return at
    const code: unknown = Reflect.get(at, 'code')
    at =
      (code instanceof Object ? Reflect.get(code, 'error') : undefined) ?? Reflect.get(at, 'cause')
  }
  return undefined
}

/** Of a question, or of a call that has certainly not been taken in: repeating it is harmless. */
export function failureOf(error: unknown, callee: Callee): unknown {
  const own = ownErrorIn(error)
  if (own !== undefined) return own
  if (error instanceof RejectError) return rejection(error, callee)
  if (!(error instanceof AgentError)) return error
  const clock = clockProblem(error)
  if (clock !== undefined) return clock
  const { code } = error
  if (code instanceof HttpErrorCode)
    return new Problem(
      'NETWORK_UNREACHABLE',
      `${callee.methodName}: the network answers ${code.status}: ${firstLine(code.bodyText ?? '')}`,
      { fix: 'run the command again; the address may be wrong', command: 'ckbtc doctor' },
    )
  return badCertificate(callee, error)
}

/** Everything else that the library says of an answer is that it cannot be believed. */
const badCertificate = ({ methodName }: Callee, error: AgentError): Problem =>
  new Problem(
    'NETWORK_BAD_CERTIFICATE',
    `${methodName}: the answer is not signed by the network: ${firstLine(error.message)}`,
    {
      fix: 'do not believe this network; a local one may have been reset meanwhile',
      command: 'ckbtc doctor',
      cause: error,
    },
  )

function clockProblem(error: AgentError): Problem | undefined {
  const { code } = error
  const off =
    code instanceof CertificateTimeErrorCode
      ? Math.round((code.certificateTime.getTime() - code.currentTime.getTime()) / 1000)
      : undefined
  if (
    off === undefined &&
    !(code instanceof IngressExpiryInvalidErrorCode) &&
    !(code instanceof CertificateOutdatedErrorCode)
  )
    return undefined
  return clockOff(off)
}

/** `seconds`: network minus this computer; undefined where it is not known. */
export function clockOff(seconds: number | undefined): Problem {
  const much = seconds === undefined ? 'too much' : `${Math.abs(seconds)} s`
  const side = seconds === undefined ? 'off' : seconds > 0 ? 'slow' : 'fast'
  return new Problem('HOST_CLOCK', `the clock of this computer is ${side} by ${much}`, {
    fix: 'set the clock (most systems do it by themselves once told so), then run the command again',
    command: 'ckbtc doctor',
    details: { offsetSeconds: seconds ?? null },
  })
}

/** The canister, or the network in its name, said no. Nothing of the call was done. */
function rejection(error: RejectError, { canister, methodName }: Callee): CanisterRefused {
  const { code } = error
  return new CanisterRefused(canister, {
    methodName,
    reason: firstLine(String(Reflect.get(code, 'rejectMessage') ?? error.message)),
    rejectCode: Number(Reflect.get(code, 'rejectCode')),
  })
}

const firstLine = (text: string): string => text.split('\n')[0]?.slice(0, 300) ?? ''

/** Something was sent, and nobody has said what became of it. */
export function outcomeUnknown(
  { methodName }: Callee,
  details: { readonly requestId: string; readonly expiresAtNs: bigint },
  cause: unknown,
): Problem {
  const own = ownErrorIn(cause)
  const why = own === undefined ? 'no answer came back' : own.message
  return new Problem('OPERATION_UNKNOWN', `${methodName} was sent: ${why}`, {
    fix: 'do not repeat it: look what became of it first',
    command: 'ckbtc status',
    details,
    cause,
  })
}

export const isInterruption = (error: unknown): boolean => ownErrorIn(error) instanceof Interrupted
