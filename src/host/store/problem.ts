/** Why a store cannot be used, and what to do about it. Source: cli §6. */
import { Bug, CkbtcError, HostDisk, Problem } from '../../core/base/errors.ts'

/** What the store holds is not what was written. `name`: its directory. */
export const storeDamaged = (name: string, what: string, cause?: unknown): Problem =>
  new Problem('HOST_DISK', `the store ${name} is damaged: ${what}`, {
    fix: 'put a copy of it back, or begin anew, which discards chain, ledger and keys',
    command: 'ckbtc subnet reset',
    details: { path: name, reason: 'damaged' },
    cause,
  })

/** A later version of the program wrote it. */
export const storeOtherFormat = (
  name: string,
  { found, known }: Readonly<Record<'found' | 'known', number>>,
) =>
  new Problem(
    'CONFIG_INVALID',
    `the store ${name} has format ${found}, this ckbtc knows ${known}`,
    {
      fix:
        found > known
          ? 'use the ckbtc that wrote it, or a newer one'
          : 'use the ckbtc that wrote it, or delete it and start anew',
      details: { path: name, format: found, formatKnown: known },
    },
  )

/** It holds a chain of another network. */
export const storeOtherNetwork = (
  name: string,
  { found, wanted }: Readonly<Record<'found' | 'wanted', string>>,
) =>
  new Problem('CONFIG_INVALID', `the store ${name} is of ${found}, not of ${wanted}`, {
    fix: `use another directory, or delete it and start anew on ${wanted}`,
    details: { path: name, network: found, networkWanted: wanted },
  })

/** Its slots, executed again, lead to another state than the one that was answered from. */
export const storeDiverged = (name: string, slot: bigint): Problem =>
  new Problem(
    'CONFIG_INVALID',
    `slot ${slot} of the store ${name} leads to another state than it did before`,
    {
      fix: 'use the ckbtc that wrote it, or begin anew, which discards chain, ledger and keys',
      command: 'ckbtc subnet reset',
      details: { path: name, slot },
    },
  )

/** Nothing that is said in an earlier time line counts, and nobody tells it of a later one. */
export const storeBehind = (name: string): Problem =>
  new Problem('HOST_DISK', `the store ${name} is older than this start of the subnet`, {
    fix: 'stop the subnet and start it: that brings every store up to the others',
    command: 'ckbtc subnet stop',
    details: { path: name, reason: 'behind' },
  })

export const storeLocked = (name: string, pid: number): Problem =>
  new Problem('HOST_STATE_LOCKED', `the store ${name} is in use by process ${pid}`, {
    fix: 'wait until that process has ended, or end it',
    details: { path: name, pid },
  })

/** Errors of the system, and of LMDB, that say nothing about what the store holds. */
const ENVIRONMENT: Readonly<Record<number, string>> = {
  1: 'not permitted',
  5: 'the disk takes no more, or does not answer',
  12: 'no memory left',
  13: 'no access',
  23: 'too many open files',
  24: 'too many open files',
  27: 'file too large',
  28: 'no space left',
  30: 'the file system is read-only',
  122: 'disk quota exceeded',
  30788: 'too much at one time',
  30790: 'too many readers',
  30792: 'the store is full',
}

/** The problem behind an error of LMDB or of the file system. */
export function storeFailure(name: string, cause: unknown): Error {
  if (cause instanceof CkbtcError || cause instanceof Bug) return cause
  if (!(cause instanceof Error)) return storeDamaged(name, String(cause), cause)
  const code = 'errno' in cause ? cause.errno : 'code' in cause ? cause.code : undefined
  const reason = typeof code === 'number' ? ENVIRONMENT[Math.abs(code)] : undefined
  return reason === undefined
    ? storeDamaged(name, cause.message, cause)
    : new HostDisk(name, reason, cause)
}
