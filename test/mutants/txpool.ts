/** Mutants of our own transactions: prechecks, what became of them, whom they are announced to. */
import type { Mutant } from './mutant.ts'

const standing = 'core/btc/standing.test.ts'
const relay = 'core/btc/transaction-relay.test.ts'

const at = (file: string): string => `btc/${file}.ts`

export const txpoolMutants: readonly Mutant[] = [
  {
    name: 'scripts of our transactions are not run',
    file: at('precheck'),
    from: 'replacementFault(paid, context.replaces ?? []) ??\n      this.#scripts.standardFault(tx, spent.coins) // PRE-4',
    to: 'replacementFault(paid, context.replaces ?? [])',
    tests: [`${standing}#kept back`],
  },
  {
    name: 'a transaction may leave before its time',
    file: at('precheck'),
    from: "if (!isRipe) return refused('non-final')\n",
    to: '',
    tests: [`${standing}#its time`],
  },
  {
    name: 'a replacement may pay one satoshi too little',
    file: at('precheck'),
    from: 'if (paid.fee < needed)',
    to: 'if (paid.fee < needed - 1n)',
    tests: [`${standing}#13.54`],
  },
  {
    name: 'a chain may have twenty-five',
    file: at('standing'),
    from: 'ancestors.size + 1 > CHAIN_COUNT_MAX',
    to: 'ancestors.size > CHAIN_COUNT_MAX',
    tests: [`${standing}#13.57`],
  },
  {
    name: 'the newer one counts, whatever the chain says',
    file: at('standing'),
    from: 'if (settled !== undefined) {',
    to: "if (settled !== undefined && settled.type === 'inBlock') {",
    tests: [`${standing}#13.55`],
  },
  {
    name: 'a verdict outlives the block it was made on',
    file: at('standing'),
    from: '[tip(state).key, ...state.outgoing.keys()]',
    to: '[...state.outgoing.keys()]',
    tests: [standing],
  },
  {
    name: 'what a reorganisation took is not announced anew',
    file: at('transaction-fate'),
    from: "const isLost = wasIn && event.standing.type === 'waiting'",
    to: 'const isLost = false',
    tests: [`${relay}#13.56`],
  },
  {
    name: 'who was told is believed to have it from others',
    file: at('transaction-fate'),
    from: 'if (!tracked.told.has(event.peer)) tracked.echoed.add(event.peer)',
    to: 'tracked.echoed.add(event.peer)',
    tests: [relay],
  },
  {
    name: 'fee filters are not kept',
    file: at('transaction-relay'),
    from: "entry.tracked.standing.type === 'waiting' && rateOf(entry) >= least",
    to: "entry.tracked.standing.type === 'waiting'",
    tests: [`${relay}#13.59`],
  },
  {
    name: 'a fee filter that falls frees nothing',
    file: at('transaction-relay'),
    from: 'rateSatPerKvb >= before) return []',
    to: 'rateSatPerKvb >= 0n) return []',
    tests: [`${relay}#13.59`],
  },
]
