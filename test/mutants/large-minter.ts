/** Mutants of what keeps a large minter fast and exact: coins, burns, the log, the checks of events. */
import type { Mutant } from './mutant.ts'

const selection = 'core/minter/coin-selection.test.ts'
const batch = 'core/minter/batch.test.ts'
const log = 'core/minter/event-log.test.ts'
const check = 'core/minter/event-check.test.ts'
const stopped = 'core/minter/stopped.test.ts'
const lost = 'core/minter/lost-coins.test.ts'

const at = (file: string): string => `minter/${file}.ts`

export const largeMinterMutants: readonly Mutant[] = [
  {
    name: 'the largest coin pays what a smaller one would',
    file: at('transactions/coin-selection'),
    from: '    if (coin.value >= goal) break\n',
    to: '',
    tests: [`${selection}#23.64`],
  },
  {
    name: 'a coin that the chain does not have is taken along',
    file: at('transactions/coin-selection'),
    from: 'if (canBeSpent(spendable, coin) && !taken.has(',
    to: 'if (!taken.has(',
    tests: [`${selection}#neither counted nor taken along`],
  },
  {
    name: 'a coin larger than all is put in front of the last ones',
    file: at('state/coin-set'),
    from: 'number < found.piece ? piece.length : found.position',
    to: 'found.position',
    tests: [`${selection}#a set of coins`],
  },
  {
    name: 'a coin that leaves is counted as before',
    file: at('state/coin-set'),
    from: '  set.total -= utxo.value\n',
    to: '',
    tests: [`${selection}#a set of coins`],
  },
  {
    name: 'of requests of one time the first is taken for all',
    file: at('state/burn-places'),
    from: 'if (queue[at]?.blockIndex === blockIndex) return at',
    to: 'return at',
    tests: [`${check}#requests of one time`],
  },
  {
    name: 'a batch takes more than the coins are worth',
    file: at('withdrawals/batch'),
    from: 'if (taken + request.amount > funds)',
    to: 'if (request.amount > funds)',
    tests: [`${batch}#23.61`],
  },
  {
    name: 'a page of events begins one late',
    file: at('events/event-log'),
    from: 'if (number++ < start) continue',
    to: 'if (++number < start) continue',
    tests: [`${log}#pages any number`],
  },
  {
    name: 'a copy of the log writes into the log',
    file: at('events/event-log'),
    from: '  tail: [...log.tail],',
    to: '  tail: log.tail,',
    tests: [`${log}#goes its own way`],
  },
  {
    name: 'a coin that is not where its order puts it passes',
    file: at('state/event-check'),
    from: '!isInOrder(state.coins, available)',
    to: 'isSpent',
    tests: [`${check}#7: a coin out of its order`],
  },
  {
    name: 'a burn that is in two places passes',
    file: at('state/event-check'),
    from: 'if (ends.filter((end) => end.has(burn)).length > 1)',
    to: 'if (ends.filter((end) => end.has(burn)).length > 2)',
    tests: [`${check}#6: a burn that is given back twice`],
  },
  {
    name: 'a broken invariant stops nobody but callers',
    file: at('state/stopped'),
    from: 'broken.length > 0',
    to: 'broken.length > 99',
    tests: [stopped],
  },
  {
    name: 'a minter that has stopped sends what is complete',
    file: at('transactions/signing'),
    from: '  if (isComplete(signing) && !isBroken(context.volatile)) submit(context, signing)\n  open',
    to: '  if (isComplete(signing)) submit(context, signing)\n  open',
    tests: [`${stopped}#a signature that comes is kept`],
  },
  {
    name: 'a round goes on after it has broken an invariant',
    file: at('timers'),
    from: 'if (!isBroken(context.volatile)) step()',
    to: 'step()',
    tests: [`${stopped}#a round that notices`],
  },
  {
    name: 'a reimbursement that has broken an invariant is followed by the next',
    file: at('withdrawals/reimbursement'),
    from: '    if (isBroken(context.volatile)) return',
    to: '    void isBroken(context.volatile)',
    tests: [`${stopped}#a reimbursement that notices`],
  },
  {
    name: 'a second reorganisation is looked into where the first was left',
    file: at('losses/lost-coins'),
    from: '  volatile.mustLook = true\n  volatile.looked.clear()\n',
    to: '  volatile.mustLook = true\n',
    tests: [`${lost}#of very many coins`],
  },
  {
    name: 'a coin that comes back stays spent',
    file: at('state/spent-coins'),
    from: '  state.spentBy.delete(keyOfUtxo(utxo))\n',
    to: '',
    tests: ['core/minter/cancellation.test.ts'],
  },
  {
    name: 'the fee is rounded down',
    file: at('dialect'),
    from: 'divCeil(vsize * rate, 1_000n)',
    to: '(vsize * rate) / 1_000n',
    tests: ['core/minter/build-transaction.test.ts'],
  },
  {
    name: 'any second jump of the fees is believed',
    file: at('transactions/fees'),
    from: 'const agrees = fees.jump !== undefined && isNear(median, fees.jump)',
    to: 'const agrees = fees.jump !== undefined',
    tests: ['core/minter/fees.test.ts#jumps twice'],
  },
]
