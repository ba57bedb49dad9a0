/** Mutants of replacing, cancelling and sending again: what pays twice, loses coins or gets stuck. */
import type { Mutant } from './mutant.ts'

const resubmission = 'core/minter/resubmission.test.ts'
const cancellation = 'core/minter/cancellation.test.ts'
const chain = 'core/minter/replacement-chain.test.ts'
const relay = 'core/minter/replacement-relay.test.ts'

const at = (file: string): string => `minter/${file}.ts`

export const replacementMutants: readonly Mutant[] = [
  {
    name: 'two replacements of one transaction are signed',
    file: at('transactions/resubmission'),
    from: '      submittedAt + settings.resubmissionDelayNs <= now &&\n      !replaced.has(key)',
    to: '      submittedAt + settings.resubmissionDelayNs <= now',
    tests: [`${resubmission}#nothing else replaces it`],
  },
  {
    name: 'a log may replace one transaction twice',
    file: at('apply/apply-transactions'),
    from: 'consistent(!isReplaced,',
    to: 'consistent(true,',
    tests: [`${chain}#signed twice at once`],
  },
  {
    name: 'a log may replace over other coins',
    file: at('apply/apply-transactions'),
    from: '    const isSame = newUtxos === undefined || isSameCoins(newUtxos, old.utxos)\n',
    to: '    const isSame = true\n',
    tests: [`${chain}#over other coins`],
  },
  {
    name: 'a confirmation of an older one is not looked for',
    file: at('transactions/resubmission'),
    from: 'chainOf(state, key).some((member) => seen.has(member))',
    to: 'seen.has(chainOf(state, key).at(-1) ?? key)',
    tests: [`${resubmission}#while one that it replaced`],
  },
  {
    name: 'a complete replacement does not wait for the chain',
    file: at('transactions/signing'),
    from: 'return ports.bitcoin.missing(changes)?.length === changes.length',
    to: 'return changes.length > 0 || ports.bitcoin.missing(changes) !== undefined',
    tests: [`${resubmission}#makes the complete replacement wait`],
  },
  {
    name: 'a replacement that was complete when the log ended is forgotten',
    file: at('timers'),
    from: '    () => submitComplete(context),\n',
    to: '',
    tests: [`${resubmission}#taken up again`],
  },
  {
    name: 'what is half signed outlives its chain',
    file: at('apply/apply-transactions'),
    from: '    state.signing.delete(key)\n    for (let input = 0;',
    to: '    for (let input = 0;',
    tests: [`${resubmission}#half signed goes`, `${cancellation}#never returned`],
  },
  {
    name: 'requests for what is half signed outlive it',
    file: at('apply/apply-transactions'),
    from: '      open.delete(signingKey(key, input))\n',
    to: '',
    tests: [`${resubmission}#half signed goes`],
  },
  {
    name: 'only the rate goes up a step, not the fee',
    file: at('transactions/resubmission'),
    from: 'const bumped = byRate > byFee ? byRate : byFee',
    to: 'const bumped = byRate',
    tests: [`${resubmission}#nothing but that`],
  },
  {
    name: 'a replacement pays a step more than the estimate, not than the old one',
    file: at('transactions/resubmission'),
    from: 'return estimate > bumped ? estimate : bumped',
    to: 'return estimate + RELAY_RATE_INCREASE_MIN',
    tests: [`${resubmission}#23.86`, `${relay}#takes the replacement`],
  },
  {
    name: 'the cap on the rate is not asked',
    file: at('transactions/resubmission'),
    from: "if (rateMax !== undefined && rate > rateMax) return wait('rateAboveMax', rate)\n",
    to: '',
    tests: [`${resubmission}#operator allows`, `${resubmission}#limit of the network`],
  },
  {
    name: 'a transaction with a lost coin is replaced',
    file: at('transactions/resubmission'),
    from: "  if (hasLost(context, old.utxos)) return wait('lostCoins')\n",
    to: '',
    tests: [`${resubmission}#keeps its transaction from being replaced`],
  },
  {
    name: 'replacements with lost coins take the places of others',
    file: at('transactions/resubmission'),
    from: "purpose.type === 'toReplace' && !hasLost(context, utxos)",
    to: "purpose.type === 'toReplace' && utxos.length > 0",
    tests: [`${resubmission}#hold up nobody`],
  },
  {
    name: 'a coin is called lost that a replaced transaction has spent',
    file: at('losses/lost-coins'),
    from: 'changes: [...ownChange(replacement), ...older]',
    to: 'changes: ownChange(replacement)',
    tests: [`${resubmission}#is not missed`],
  },
  {
    name: 'a replacement that was final is not sent again',
    file: at('transactions/sent-again'),
    from: "return payload.type === 'replacedTransaction'\n    ?",
    to: "return payload.type === 'replacedTransaction' && number < 0\n    ?",
    tests: [`${resubmission}#that is sent again`],
  },
  {
    name: 'a replacement keeps no bytes',
    file: at('apply/apply-transactions'),
    from: 'signedTransaction: signing && encodeTransaction(withWitnesses(signing)),',
    to: 'signedTransaction: undefined,',
    tests: [`${resubmission}#keeps its bytes`],
  },
  {
    name: 'what the chain has is sent again every hour',
    file: at('transactions/resubmission'),
    from: 'if (seen !== undefined && isSeen(context, key, seen)) volatile',
    to: 'if (seen === undefined) volatile',
    tests: [`${resubmission}#every hour`],
  },
  {
    name: 'a cancelled withdrawal gets all of it back',
    file: at('state/cancelled'),
    from: 'return { amount: amount > share ? amount - share : 0n, share }',
    to: 'return { amount, share }',
    tests: [`${cancellation}#23.89`],
  },
  {
    name: 'a cancellation keeps the coins that it did not need',
    file: at('apply/apply-transactions'),
    from: "if (confirmed.purpose.type === 'toCancel') returnUnusedCoins(state, chain)",
    to: "if (confirmed.purpose.type === 'toConsolidate') returnUnusedCoins(state, chain)",
    tests: [`${cancellation}#23.89`],
  },
  {
    name: 'a stuck cancellation is rebuilt with the minimum of now',
    file: at('transactions/resubmission'),
    from: 'changeOutput === undefined || withdrawalFee === undefined\n',
    to: 'changeOutput === undefined || withdrawalFee !== undefined\n',
    tests: [`${cancellation}#23.90`],
  },
  {
    name: 'a cancellation is cancelled',
    file: at('transactions/resubmission'),
    from: "outcome.type !== 'tooManyInputs' || old.purpose.type === 'toCancel'",
    to: "outcome.type !== 'tooManyInputs'",
    tests: [`${cancellation}#not cancelled itself`],
  },
  {
    name: 'nodes are not paid to drop the old one for its cancellation',
    file: at('transactions/cancellation'),
    from: 'oldVsize <= STANDARD_VSIZE_MAX &&',
    to: 'oldVsize < 0n &&',
    tests: [`${cancellation}#nodes that have`, `${relay}#23.89`],
  },
  {
    name: 'a replacement pays for all that ever had its place',
    file: 'btc/outgoing-family.ts',
    from: '.filter((member) => !this.#replaced.has(member))',
    to: '',
    tests: ['core/btc/standing.test.ts#a third one', `${relay}#takes the replacement`],
  },
  {
    name: 'a full list keeps what was replaced',
    file: 'btc/outgoing.ts',
    from: '    if (own.keep && isReplaced) yield own\n',
    to: '    if (!own.keep && isReplaced) yield own\n',
    tests: ['core/btc/chain-view.test.ts#makes room'],
  },
]
