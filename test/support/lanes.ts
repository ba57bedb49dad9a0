/** The algorithm of a message, for tests that change what it carries. */
import type { Lane } from '../../src/core/tecdsa/message.ts'
import { suites } from '../../src/core/tecdsa/signer-config.ts'
import type { Suite } from '../../src/core/tecdsa/suite.ts'

/** What `use` makes of the suite of a lane, whatever its points are. */
export function inLane<R>(lane: Lane, use: <P>(suite: Suite<P>) => R): R {
  switch (lane) {
    case 'ecdsa':
      return use(suites.ecdsa)
    case 'bip340':
      return use(suites.bip340)
    case 'ed25519':
      return use(suites.ed25519)
    case 'bls':
      return use(suites.bls)
  }
}
