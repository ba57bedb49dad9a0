/** Mutants of the minter that its random histories must notice: each would lose or make money. */
import type { Mutant } from './mutant.ts'

const histories = 'sim/minter-histories.sim.ts'

const at = (file: string): string => `minter/${file}.ts`

export const historyMutants: readonly Mutant[] = [
  {
    name: 'what was credited is forgotten',
    file: at('apply/apply-deposits'),
    from: '  state.mintedOutpoints.add(key) // [H 1]\n',
    to: '',
    tests: [histories],
  },
  {
    name: 'the inputs of a sent transaction are available again',
    file: at('apply/apply-transactions'),
    from: '  state.lastSubmissionAt = payload.submittedAt\n',
    to: '  for (const utxo of payload.utxos) giveBackCoin(state, utxo)\n',
    tests: [histories],
  },
  {
    name: 'the fee of a cancellation is in no term of the reserve',
    file: at('apply/apply-transactions'),
    from: "  if (purpose.type === 'toCancel') cancel(state, purpose, withdrawalFee)\n",
    to: "  if (purpose.type === 'toCancel') {\n    cancel(state, purpose, withdrawalFee)\n    return\n  }\n",
    tests: [histories],
  },
  {
    name: 'coins that left the chain are not lost',
    file: at('losses/lost-coins'),
    from: '      lost.set(keyOfUtxo(utxo), utxo)\n',
    to: '      lost.delete(keyOfUtxo(utxo))\n',
    tests: [histories],
  },
  {
    name: 'one more than the remainder pays a satoshi more',
    file: at('transactions/build-transaction'),
    from: 'BigInt(i) < amount % parts',
    to: 'BigInt(i) <= amount % parts',
    tests: [histories],
  },
  {
    name: 'a burn is given back once its cancellation is sent',
    file: at('apply/apply-transactions'),
    from: '  state.submitted.delete(oldKey)\n',
    to: "  const next = replacementPurpose(old, payload)\n  if (next.type === 'toCancel') cancel(state, next, payload.withdrawalFee)\n  state.submitted.delete(oldKey)\n",
    tests: [histories],
  },
  {
    name: 'one confirmation makes a transaction final',
    file: at('transactions/confirmation'),
    from: 'minConfirmations: state.config.minConfirmations,',
    to: 'minConfirmations: 1,',
    tests: [histories],
  },
  {
    name: 'a mint whose outcome is unknown is made again at once',
    file: at('call-journal'),
    from: 'ledgerTime > createdAtTime + LEDGER_WINDOW_NS',
    to: 'ledgerTime > createdAtTime - LEDGER_WINDOW_NS',
    tests: [histories],
  },
  {
    name: 'no record stands before a call of a ledger that is elsewhere',
    file: at('call-journal'),
    from: '  if (!ports.ledger.answersInStep) write()\n',
    to: '',
    tests: [histories],
  },
  {
    name: 'a mint that came late is for a coin that is there',
    file: at('call-journal'),
    from: '      mustLookAnew(context.volatile) // Blocks may have left the chain since the call [H 15].\n',
    to: '',
    tests: ['core/minter/call-journal.test.ts#after its coin left the chain'],
  },
  {
    name: 'outputs of one transaction may come one by one',
    file: at('transactions/confirmation'),
    from: 'isSent(utxo) && isWhole(utxo)',
    to: 'isSent(utxo)',
    tests: [histories],
  },
  {
    name: 'an answer that names an output twice has two',
    file: at('transactions/confirmation'),
    from: '[...distinct.values()].filter(isNew)',
    to: 'utxos.filter(isNew)',
    tests: [histories],
  },
  {
    name: 'a burn that was found on the ledger is paid to nobody',
    file: at('call-journal'),
    from: "      record({ type: 'acceptedRetrieveBtcRequest', ...request })\n",
    to: '',
    tests: [histories],
  },
  {
    name: 'a cancellation gives back the coins that it spent',
    file: at('apply/apply-transactions'),
    from: '  for (const utxo of confirmed.utxos) forgetCoin(state, utxo)\n',
    to: '  for (const utxo of confirmed.utxos.slice(1)) forgetCoin(state, utxo)\n',
    tests: [histories],
  },
  {
    name: 'a transaction keeps no bytes to send again',
    file: at('apply/apply-transactions'),
    from: '    signedTransaction: payload.signedTransaction,\n',
    to: '    signedTransaction: undefined,\n',
    tests: [histories],
  },
  {
    name: 'fees of the minter are not kept back from who is paid',
    file: at('transactions/build-transaction'),
    from: 'const change = sumOf(utxos) - amounts + minterFee',
    to: 'const change = sumOf(utxos) - amounts + minterFee - 1n',
    tests: [histories],
  },
  {
    name: 'published events leave a burn in the queue that was given back',
    file: at('apply/apply-withdrawals'),
    from: '  scheduleIfPending(state, burn)\n',
    to: '',
    tests: [histories],
  },
  {
    name: 'a minter without work asks for slots',
    file: at('timers'),
    from: 'if (isReady || waiting > 0 || isReimbursementDue(context))',
    to: 'if (isReady || waiting >= 0 || isReimbursementDue(context))',
    tests: [histories],
  },
  {
    name: 'a replacement takes new coins',
    file: at('transactions/resubmission'),
    from: 'const outcome = buildTransaction(request)',
    to: 'const outcome = buildTransaction({ ...request, utxos: [...state.availableUtxos.values()] })',
    tests: [histories],
  },
]
