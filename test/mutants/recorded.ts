/** Mutants of what recordings of deployed releases, and published values, hold fast. */
import type { Mutant } from './mutant.ts'

const STORIES = 'core/minter/recordings-stories.test.ts'
const ADDRESSES = 'core/minter/addresses.test.ts'
const FACE = 'core/minter/candid-face.test.ts'
const VALUES = 'core/minter/published-values.test.ts'

export const recordedMutants: readonly Mutant[] = [
  {
    name: 'bitcoin fees are rounded down today',
    file: 'minter/dialect.ts',
    from: 'bitcoinFee: (vsize, rate) => divCeil(vsize * rate, 1_000n)',
    to: 'bitcoinFee: (vsize, rate) => (divCeil(1n, 1n) * vsize * rate) / 1_000n',
    tests: [VALUES],
  },
  {
    name: 'the minter fee has no floor',
    file: 'minter/dialect.ts',
    from: 'return fee > MINTER_OUTPUT_MIN ? fee : MINTER_OUTPUT_MIN',
    to: 'return fee > 0n ? fee : MINTER_OUTPUT_MIN',
    tests: [VALUES],
  },
  {
    name: 'a replay of another release keeps the order of this one',
    file: 'minter/withdrawals/batch.ts',
    from: 'isBatchByArrival ? batch : batch.sort(compareRequests)',
    to: 'isBatchByArrival ? batch.sort(compareRequests) : batch.sort(compareRequests)',
    tests: [`${STORIES}#order of arrival`],
  },
  {
    name: 'the check of a withdrawal costs nothing in another release either',
    file: 'minter/withdrawals/withdrawal.ts',
    from: 'amount: amount - withdrawalFee(context.state.config)',
    to: 'amount: amount + 0n * withdrawalFee(context.state.config)',
    tests: [`${STORIES}#to the txid`],
  },
  {
    name: 'a taproot address may have the checksum of version 0',
    file: 'minter/destination.ts',
    from: '  if (variant !== expected)',
    to: '  if (variant !== expected && text === NAMES[variant])',
    tests: [ADDRESSES],
  },
  {
    name: 'an address of any network will do',
    file: 'minter/destination.ts',
    from: '  if (words.prefix !== bech32Prefix)',
    to: "  if (words.prefix === '' && bech32Prefix !== '')",
    tests: [ADDRESSES],
  },
  {
    name: 'an update is answered as a query',
    file: 'minter/interface/candid-face.ts',
    from: "kind === 'query' && !isQuery ? undefined",
    to: "kind === 'query' && isQuery === undefined ? undefined",
    tests: [FACE],
  },
  {
    name: 'a page is given to an update',
    file: 'minter/interface/candid-face.ts',
    from: "  kind === 'query'\n    ? pages",
    to: '  kind !== undefined\n    ? pages',
    tests: [FACE],
  },
]
