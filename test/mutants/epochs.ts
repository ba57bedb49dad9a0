/** Mutants of what a node keeps, erases and says from one epoch of keys to the next. */
import type { Mutant } from './mutant.ts'

export const epochMutants: readonly Mutant[] = [
  {
    name: 'secrets of the next epoch are erased while the log is read again',
    file: 'tecdsa/epochs.ts',
    from: 'this.#isLater(epoch, version) ||',
    to: '',
    tests: ['core/tecdsa/epochs.test.ts', 'sim/epochs.sim.ts'],
  },
  {
    name: 'a node that has left keeps its last secret',
    file: 'tecdsa/refresh.ts',
    from: 'over: this.#over,',
    to: 'over: undefined,',
    tests: ['sim/epochs.sim.ts'],
  },
  {
    name: 'a key made while a refresh runs is not dealt on',
    file: 'tecdsa/key-runs.ts',
    from: 'else this.#next = this.#ledger.reshare(final)',
    to: '',
    tests: ['sim/epochs.sim.ts#is final before the switch'],
  },
  {
    name: 'a key in the making at the switch goes on among those who leave',
    file: 'tecdsa/key-runs.ts',
    from: 'if (old === undefined) this.#startAgain()',
    to: 'if (old === undefined) this.#next = undefined',
    tests: ['sim/epochs.sim.ts#is in the making at the switch'],
  },
  {
    name: 'open tapes are answered with shares of the old key',
    file: 'tecdsa/tape.ts',
    from: '      entry.own = undefined\n',
    to: '',
    tests: ['core/tecdsa/tape.test.ts#switch'],
  },
  {
    name: 'the nonce of a complaint does not depend on the dealing',
    file: 'tecdsa/complainer.ts',
    from: 'dealing: bytesInput(dealingHash),',
    to: 'dealing: bytesInput(dealingHash.subarray(0, 0)),',
    tests: ['core/tecdsa/complainer.test.ts'],
  },
  {
    name: 'who has diverged goes on signing',
    file: 'subnet/certification.ts',
    from: 'return this.#certifier.hasDiverged',
    to: 'return this.#certifier.hasDiverged && this.#sealed === undefined',
    tests: ['core/subnet/divergence.test.ts'],
  },
]
