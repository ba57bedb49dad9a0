/** Mutants of what a node that is behind asks for, and of what it believes. */
import type { Mutant } from './mutant.ts'

export const behindMutants: readonly Mutant[] = [
  {
    name: 'a proposal that was asked for is taken whatever its hash',
    file: 'log/slot-round.ts',
    from: '    if (!equalBytes(sha256(bytes), wanted)) return\n',
    to: '',
    tests: ['sim/log-random.sim.ts#4 nodes'],
  },
  {
    name: 'only the last votes are said again',
    file: 'log/own-votes.ts',
    from: '[...(this.#said.get(slot) ?? []), ...said.votes]',
    to: '[...said.votes]',
    tests: ['sim/log-random.sim.ts#4 nodes'],
  },
  {
    name: 'copies are taken beyond what f + 1 nodes agree on',
    file: 'log/catch-up.ts',
    from: 'this.#copies = chain.slice(0, agreedCount)',
    to: 'this.#copies = agreedCount > 0 ? chain : []',
    tests: ['core/log/catch-up.test.ts'],
  },
  {
    name: 'after copies nobody is asked what comes next',
    file: 'log/catch-up.ts',
    from: 'this.#isUsed ||= copy !== undefined',
    to: 'this.#isUsed &&= copy !== undefined',
    tests: ['sim/log-behind.sim.ts#away'],
  },
  {
    name: 'votes that were dropped two slots early are asked for of nobody',
    file: 'log/early-votes.ts',
    from: '.filter(([, ahead]) => ahead >= slot)',
    to: '.filter(([, ahead]) => ahead > slot)',
    tests: ['core/log/early-votes.test.ts', 'sim/log-behind.sim.ts#drop'],
  },
  {
    name: 'items that count for nothing are hurried for',
    file: 'log/credit.ts',
    from: '(this.#vain.get(node) ?? 0) < VAIN_SLOTS_MAX',
    to: 'this.#vain.get(node) !== Number.POSITIVE_INFINITY',
    tests: ['core/log/pool.test.ts#haste'],
  },
  {
    name: 'one of those who echoed a proposal is asked for it',
    file: 'log/requests.ts',
    from: 'others.slice(0, reconstructionThreshold(this.#nodes))',
    to: 'others.slice(0, 1)',
    tests: ['core/log/requests.test.ts'],
  },
  {
    name: 'a node that starts again has no part in the slot before',
    file: 'log/log-party.ts',
    from: 'if (isNew && isOnDisk(',
    to: 'if (isNew && this.#next < 0n && isOnDisk(',
    tests: ['core/log/log-party.test.ts#slot before'],
  },
]
