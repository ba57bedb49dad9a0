/** Mutants of the mempool, the miner and the branches of the regtest node: `bitcoin.md` §12. */
import type { Mutant } from './mutant.ts'

const at = (file: string): string => `btc/regtest/${file}.ts`
const replacement = 'core/btc/regtest/replacement.test.ts'
const limits = 'core/btc/regtest/mempool-limits.test.ts'
const pool = 'core/btc/regtest/pool.test.ts'
const template = 'core/btc/regtest/template.test.ts'
const truc = 'core/btc/regtest/truc.test.ts'
const branches = 'core/btc/regtest/branches.test.ts'
const snapshot = 'core/btc/regtest/chain-snapshot.test.ts'
const reasons = 'core/btc/regtest/reject-reasons.test.ts'
const mempool = 'core/btc/regtest/mempool.test.ts'

export const mempoolMutants: readonly Mutant[] = [
  {
    name: 'a replacement need not pay for its own relay',
    file: at('replacement'),
    from: 'return extra < needed',
    to: 'return extra < 0n',
    tests: [`${replacement}#13.54`],
  },
  {
    name: 'a replacement at the rate of its conflict',
    file: at('replacement'),
    from: 'rate <= other',
    to: 'rate < other',
    tests: [`${replacement}#rate`],
  },
  {
    name: 'a replacement pays for the direct conflicts alone',
    file: at('replacement'),
    from: 'const flaw = feeFlaw(entry, replaced)',
    to: 'const flaw = feeFlaw(entry, new Set(conflicts))',
    tests: [`${replacement}#descendants`],
  },
  {
    name: 'a replacement may add unconfirmed inputs',
    file: at('replacement'),
    from: 'return index < 0 ? undefined : index',
    to: 'return undefined',
    tests: [`${replacement}#unconfirmed`],
  },
  {
    name: 'one descendant more without the carve-out',
    file: at('chain-limits'),
    from: 'descendantCount: CHAIN_COUNT_MAX + (only === undefined ? 0 : 1)',
    to: 'descendantCount: CHAIN_COUNT_MAX + 1',
    tests: [`${limits}#descendants`],
  },
  {
    name: 'ancestors do not lose what a removed descendant weighs',
    file: at('pool'),
    from: 'for (const { entry } of members.sort((a, b) => b.place - a.place)) {',
    to: 'for (const { entry } of members.sort((a, b) => a.place - b.place)) {',
    tests: [pool],
  },
  {
    name: 'descendants keep what a confirmed ancestor weighed',
    file: at('pool'),
    from: "assert(this.parents(entry.transaction).length === 0, 'a block confirms parents first')",
    to: 'if (this.size > 0) return this.#forget(entry)',
    tests: [pool],
  },
  {
    name: 'eviction looks at entries without their descendants',
    file: at('mempool'),
    from: 'const score = paysMore(descendants, entry) ? descendants : entry',
    to: 'const score = descendants.fee < 0n ? descendants : entry',
    tests: [`${limits}#full`],
  },
  {
    name: 'eviction raises no minimum',
    file: at('mempool'),
    from: 'this.#minimum.raise(rateOf(this.#pool.family(worst).descendants))',
    to: '',
    tests: [`${limits}#full`],
  },
  {
    name: 'a conflict that a block confirms leaves its rival there',
    file: at('mempool'),
    from: '      this.#pool.remove(this.#conflicts(tx))\n',
    to: '',
    tests: [`${mempool}#conflict`, `${replacement}#13.55`],
  },
  {
    name: 'what a reorganisation returns has to pay the minimum',
    file: at('mempool'),
    from: 'const rules = { returning: true }',
    to: 'const rules = { returning: false }',
    tests: [`${branches}#reorganisation`],
  },
  {
    name: 'the block pays again for parents that it holds',
    file: at('template'),
    from: 'const fee = before.fee - entry.fee',
    to: 'const fee = before.fee',
    tests: [template],
  },
  {
    name: 'a version 3 parent has any number of children',
    file: at('truc'),
    from: 'if (count + 1 <= FAMILY_MAX || siblings',
    to: 'if (count >= 0 || siblings',
    tests: [truc],
  },
  {
    name: 'an orphan is not tried when its parent comes',
    file: at('intake'),
    from: 'taken: [own, ...this.#adopt([transaction], nowSeconds)]',
    to: 'taken: [own]',
    tests: [`${limits}#orphan`],
  },
  {
    name: 'who reconsiders a block believes what was refused for itself',
    file: at('chain'),
    from: '      nodes.filter(({ key }) => this.#blocks.has(key)),\n',
    to: '      nodes,\n',
    tests: [branches],
  },
  {
    name: 'an altered snapshot is taken',
    file: at('chain-snapshot'),
    from: 'if (!equalBytes(sha256(bytes.subarray(0, end)), bytes.subarray(end)))',
    to: 'if (bytes.length === 0)',
    tests: [`${snapshot}#13.67`],
  },
  {
    name: 'an output that is there may be made again',
    file: at('block-validation'),
    from: "if (overwrites(transactions, context)) return refused('bad-txns-BIP30')",
    to: '',
    tests: [reasons],
  },
]
