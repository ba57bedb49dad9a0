/** Mutants of what the minter does about lost answers, reimbursements and consolidations. */
import type { Mutant } from './mutant.ts'

const CALLS = 'core/minter/call-journal.test.ts'
const CONSOLIDATION = 'core/minter/consolidation.test.ts'

export const ledgerCallMutants: readonly Mutant[] = [
  {
    name: 'a call is given up while it can still land',
    file: 'minter/call-journal.ts',
    from: 'ledgerTime > createdAtTime + LEDGER_WINDOW_NS',
    to: 'ledgerTime > createdAtTime',
    tests: [`${CALLS}#not a moment before`],
  },
  {
    name: 'no record stands before a call to a ledger elsewhere',
    file: 'minter/call-journal.ts',
    from: 'if (!ports.ledger.answersInStep) write()',
    to: 'void write',
    tests: [`${CALLS}#stops after`, 'core/minter/reimbursement.test.ts#stops past'],
  },
  {
    name: 'a refused call stays on record',
    file: 'minter/call-journal.ts',
    from: "result.type !== 'ok' && isOnRecord",
    to: "result.type === 'absent' && isOnRecord",
    tests: [`${CALLS}#erased`],
  },
  {
    name: 'a coin whose mint is unknown is minted again',
    file: 'minter/deposits/deposit.ts',
    from: "if (isUnknown || isInTransit(context, { type: 'deposit', account, utxo })) return undefined",
    to: 'void isUnknown',
    tests: [`${CALLS}#mint-unknown`],
  },
  {
    name: 'a second burn goes out before the first is known',
    file: 'minter/withdrawals/withdrawal.ts',
    from: 'if (hasUnknownBurn(context, way.account))',
    to: 'if (hasUnknownBurn(context, way.account) && amount < 0n)',
    tests: [`${CALLS}#second burn`],
  },
  {
    name: 'reimbursements are minted while coins are missing',
    file: 'minter/withdrawals/reimbursement.ts',
    from: 'if (isMintingHalted(context)) return',
    to: 'void isMintingHalted(context)',
    tests: ['core/minter/reimbursement.test.ts#while a coin is missing'],
  },
  {
    name: 'a reimbursement in quarantine is made again while its call is on record',
    file: 'minter/apply/apply-withdrawals.ts',
    from: 'consistent(call === undefined, ',
    to: 'consistent(call === undefined || burn >= 0n, ',
    tests: ['core/minter/reimbursement.test.ts#one in quarantine'],
  },
  {
    name: 'a consolidation is given up that may be complete',
    file: 'minter/apply/apply-consolidation.ts',
    from: 'silent.length > SIGNATURES_OPEN_MAX',
    to: 'silent.length > 0',
    tests: [`${CONSOLIDATION}#not given up once`, `${CONSOLIDATION}#after an upgrade`],
  },
  {
    name: 'a consolidation signed again bears the names of old requests',
    file: 'minter/losses/given-up.ts',
    from: 'Math.max(state.nextAttempt, attempts + 1)',
    to: 'Math.max(state.nextAttempt, 0 * attempts)',
    tests: [`${CONSOLIDATION}#given up after a day`],
  },
  {
    name: 'the burn of an aborted consolidation is lost',
    file: 'minter/transactions/consolidation.ts',
    from: 'unusedBurn !== undefined && missing <= 0n',
    to: 'unusedBurn !== undefined && missing < -1_000_000n',
    tests: [`${CONSOLIDATION}#given up after a day`, `${CONSOLIDATION}#is found, pays`],
  },
  {
    name: 'a consolidation earns the minter its own fee',
    file: 'minter/apply/apply-transactions.ts',
    from: 'return // Its minter fee goes',
    to: '// Its minter fee goes',
    tests: [`${CONSOLIDATION}#the books agree`],
  },
  {
    name: 'a loss is written off that nothing covers',
    file: 'minter/losses/losses.ts',
    from: 'if (surplus >= loss) return undefined',
    to: 'if (surplus >= 0n) return undefined',
    tests: ['core/minter/losses.test.ts#missing was paid in'],
  },
  {
    name: 'a withdrawal is paid anew out of other coins alone',
    file: 'minter/losses/losses.ts',
    from: 'if (kept.length === 0) continue',
    to: 'if (kept.length >= 0) continue',
    tests: ['core/minter/losses.test.ts#both cannot confirm'],
  },
  {
    name: 'the change of a transaction is taken in as a donation',
    file: 'minter/losses/losses.ts',
    from: 'root === undefined || isOurs || isChange',
    to: 'root === undefined || isOurs',
    tests: ['core/minter/losses.test.ts#never the change'],
  },
  {
    name: 'the ledger forgets a call when its deduplication does',
    file: 'ledger/blocks/lookup.ts',
    from: 'firstSince(log, createdAtTime - permittedDriftNs)',
    to: 'firstSince(log, createdAtTime + permittedDriftNs)',
    tests: ['core/subnet/minter-ledger.test.ts#is found'],
  },
]
