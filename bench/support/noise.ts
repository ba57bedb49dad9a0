/**
 * Tells whether the machine was steady: a fixed loop, timed around every round. Source: performance
 * specification §6.
 */
import { cpus, loadavg } from 'node:os'
import { secp256k1 } from '../../src/core/base/noble-secp256k1.ts'

const ADDITIONS = 1_000
const TOLERANCE = 0.2
const WARM_UP = 20

const history: number[] = []

/** CPU microseconds of 1,000 additions. */
export function calibrate(): number {
  while (history.length < WARM_UP) history.push(loop())
  const us = loop()
  history.push(us)
  return us
}

function loop(): number {
  const start = process.cpuUsage()
  let point = secp256k1.g.point
  for (let i = 0; i < ADDITIONS; i++) point = secp256k1.add(point, secp256k1.g.point)
  const { user, system } = process.cpuUsage(start)
  if (secp256k1.isZero(point)) throw new RangeError('a small multiple of g is not zero')
  return user + system
}

/** Within a fifth of the median of all calibrations so far. */
export function isSteady(us: number): boolean {
  const sorted = history.toSorted((a, b) => a - b)
  const middle = sorted[sorted.length >> 1] ?? us
  return Math.abs(us / middle - 1) <= TOLERANCE
}

/** Whether others want the machine as well: wall time then says more about them. */
export const isBusy = (): boolean => (loadavg()[0] ?? 0) > cpus().length
