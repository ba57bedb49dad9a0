/** The algorithms whose keys sign requests, each with its own lane. Source: threshold §§11.1, 19. */
import type { KeyScheme } from '../base/key-scheme.ts'
import type { Ed25519Point } from '../base/noble-ed25519.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { OpenRequests } from './expiry.ts'
import { KeyLane } from './key-lane.ts'
import type { FinalKeys } from './key-record.ts'
import type { EcdsaRuns, SchnorrRuns } from './recipe.ts'
import { ecdsaRecipe, schnorrRecipe } from './recipe.ts'
import type { RunFrame } from './run-ledger.ts'
import { bip340, ed25519 } from './schnorr-scheme.ts'
import { ecdsaMethod, schnorrMethod } from './session.ts'
import type { LaneFrame } from './signer-config.ts'
import { keyContext, suites } from './signer-config.ts'
import type { Tape } from './tape.ts'

export type KeyLanes = {
  readonly ecdsa: KeyLane<Secp256k1Point, EcdsaRuns<Secp256k1Point>>
  readonly bip340: KeyLane<Secp256k1Point, SchnorrRuns<Secp256k1Point>>
  readonly ed25519: KeyLane<Ed25519Point, SchnorrRuns<Ed25519Point>>
}
export type AnyKeyLane = KeyLanes[KeyScheme]

/** Nothing is shared between them but the tape. A lane without keys costs nothing. */
export function makeKeyLanes(
  config: LaneFrame,
  {
    frame,
    kept,
    tape,
  }: { readonly frame: RunFrame; readonly kept: FinalKeys | undefined; readonly tape: Tape },
): KeyLanes {
  const { stockTarget, creationMax, mainKey, genesis } = config
  const limits = { stockTarget, creationMax, incarnation: genesis.incarnation }
  // The minter's key is one of ECDSA; keys of the others are made when they are asked for.
  const onDemand = { ...frame, ...limits, mainKey: undefined }
  return {
    ecdsa: new KeyLane({
      context: keyContext(config, 'ecdsa', suites.ecdsa),
      schedule: { ...onDemand, mainKey },
      recipe: ecdsaRecipe,
      method: ecdsaMethod(suites.ecdsa),
      tape,
      kept: kept?.ecdsa,
    }),
    bip340: new KeyLane({
      context: keyContext(config, 'bip340', suites.bip340),
      schedule: onDemand,
      recipe: schnorrRecipe,
      method: schnorrMethod(bip340(suites.bip340)),
      tape,
      kept: kept?.bip340,
    }),
    ed25519: new KeyLane({
      context: keyContext(config, 'ed25519', suites.ed25519),
      schedule: onDemand,
      recipe: schnorrRecipe,
      method: schnorrMethod(ed25519(suites.ed25519)),
      tape,
      kept: kept?.ed25519,
    }),
  }
}

/** A request is one lane's. */
export const requestsOf = (lanes: readonly AnyKeyLane[]): OpenRequests => ({
  isOpen: (id) => lanes.some(({ schedule }) => schedule.isOpen(id)),
  queued: () => lanes.flatMap(({ schedule }) => schedule.queued()),
  pairings: () =>
    lanes.flatMap(({ schedule }) => schedule.pairings().map(({ request }) => ({ request }))),
  expire: (id) => {
    for (const { schedule } of lanes) if (schedule.isOpen(id)) schedule.expire(id)
  },
})
