/**
 * The floor of a step: its counted operations times the unit costs of the same run. Source:
 * performance specification §5.
 */
import { asSecret } from '../../src/core/base/group.ts'
import type { Secp256k1Point } from '../../src/core/base/noble-secp256k1.ts'
import { secp256k1 } from '../../src/core/base/noble-secp256k1.ts'
import type { Member } from '../../src/core/tecdsa/parameters.ts'
import type { Suite } from '../../src/core/tecdsa/suite.ts'
import { ecdsaSecp256k1 } from '../../src/core/tecdsa/suite.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'
import type { Sharing } from './committee.ts'
import type { Unit } from './counting.ts'
import { Counts, countingBase, countingGroup, UNITS } from './counting.ts'
import { encodedPoints, messages, otherScalars, points, scalars } from './inputs.ts'
import { measure, relativeCost } from './measure.ts'
import type { Task } from './task.ts'
import { task } from './task.ts'

const SLICE_MS = 20
/** Terms of the sum that M is taken from. */
const SUM_TERMS = 5
const SUBGROUP_DST = new TextEncoder().encode('ckbtc-bench')

const secretKey = new Uint8Array(32).fill(7)
const publicKey = nativeEd25519.publicKey(secretKey)
const signature = nativeEd25519.sign(secretKey, messages(0))

const pointTask = (run: (index: number) => Secp256k1Point): Task =>
  task(run, (point) => secp256k1.encode([point])[0] ?? new Uint8Array(0))
const bytesTask = (run: (index: number) => Uint8Array): Task => task(run, (bytes) => bytes)

const { g } = secp256k1
/** What each unit is, as in group A. */
const unitTasks: Readonly<Record<Unit, { readonly task: Task; readonly per: number }>> = {
  G: one(pointTask((i) => g.multiplySecret(asSecret(scalars(i))))),
  V: one(pointTask((i) => g.multiplyPublic(scalars(i)))),
  X: one(pointTask((i) => secp256k1.multiplySecret(points(i), asSecret(scalars(i))))),
  W: one(pointTask((i) => secp256k1.multiplyPublic(points(i), scalars(i)))),
  Q: one(pointTask((i) => secp256k1.pair(points(i), scalars(i), points(i + 1), otherScalars(i)))),
  M: {
    task: pointTask((i) =>
      secp256k1.sum(
        Array.from({ length: SUM_TERMS }, (_, k) => ({
          point: points(i + k),
          scalar: scalars(i + k),
        })),
      ),
    ),
    per: SUM_TERMS,
  },
  D: one(pointTask((i) => secp256k1.decode(encodedPoints(i)) ?? secp256k1.zero)),
  U: one(pointTask((i) => secp256k1.hashToPoint(messages(i), SUBGROUP_DST))),
  S: one(pointTask((i) => secp256k1.evaluate([points(i), points(i + 1)], 1 + (i % 4)))),
  A: one(pointTask((i) => secp256k1.add(points(i), points(i + 1)))),
  sign: one(bytesTask((i) => nativeEd25519.sign(secretKey, messages(i)))),
  verify: one(
    bytesTask(() => Uint8Array.of(+nativeEd25519.verify(publicKey, messages(0), signature))),
  ),
}

function one(own: Task): { readonly task: Task; readonly per: number } {
  return { task: own, per: 1 }
}

let costs: ReadonlyMap<Unit, number> | undefined

/** Cost of each unit in calibration loops, measured once a run. */
function unitCosts(): ReadonlyMap<Unit, number> {
  costs ??= new Map(
    UNITS.map((unit) => {
      const { task, per } = unitTasks[unit]
      return [unit, relativeCost(measure(task, {}, { sliceMs: SLICE_MS })) / per]
    }),
  )
  return costs
}

/** Calibration loops that the counted operations take. */
export function floorOf(counts: Counts): number {
  const costs = unitCosts()
  return UNITS.reduce((sum, unit) => sum + counts.of(unit) * (costs.get(unit) ?? 0), 0)
}

/**
 * Runs a step once over counting ports; `count` makes the tables of a sharing's members count as
 * well.
 */
export function countsOf(
  step: (suite: Suite, count: (sharing: Sharing) => Sharing) => void,
): Counts {
  const counts = new Counts()
  const members = (all: readonly Member[]): readonly Member[] =>
    all.map(({ id, megaKey }) => ({ id, megaKey: countingBase(megaKey, counts) }))
  step(ecdsaSecp256k1(countingGroup(secp256k1, counts)), (sharing) => {
    const { parameters } = sharing
    const [dealers, receivers] = [members(parameters.dealers), members(parameters.receivers)]
    return { ...sharing, parameters: { ...parameters, dealers, receivers } }
  })
  return counts
}
