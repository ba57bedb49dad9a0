/** Tells whether a process that left its mark still runs, even when its number was given away. */
import { readFileSync } from 'node:fs'

export type ProcessMark = {
  readonly pid: number
  /** What another process of the same number would not have; empty where the system has no such. */
  readonly born: string
}

export const ownMark = (): ProcessMark => ({ pid: process.pid, born: birthOf(process.pid) })

/** A mark as JSON; undefined where there is none, or one that was cut off while it was written. */
export function readMark(path: string): ProcessMark | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value !== 'object' || value === null) return undefined
    if (!('pid' in value) || !('born' in value)) return undefined
    const { pid, born } = value
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1) return undefined
    return typeof born === 'string' ? { pid, born } : undefined
  } catch {
    return undefined
  }
}

export function isRunning({ pid, born }: ProcessMark): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // No right to signal it: somebody else's, and alive.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  return birthOf(pid) === born
}

/** Start of the process in clock ticks, and the boot that they count from. */
function birthOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    // The name of the program comes in brackets and may hold anything: fields count from its end.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')
    // Who has ended, and only waits for its parent to notice, runs no more.
    return fields?.[0] === 'Z' ? '' : `${boot} ${fields?.[19] ?? ''}`
  } catch {
    return ''
  }
}
