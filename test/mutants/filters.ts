/** Mutants of compact filters: codec, judgement of peers, search; and of proofs of inclusion. */
import type { Mutant } from './mutant.ts'

const codec = 'core/btc/compact-filter.test.ts'
const client = 'core/btc/filter-client.test.ts'
const liars = 'core/btc/filter-liars.test.ts'
const server = 'core/btc/regtest/filter-server.test.ts'
const proofs = 'core/btc/merkle-proof.test.ts'
const memory = 'core/btc/filter-memory.test.ts'

const at = (file: string): string => `btc/${file}.ts`

export const filterMutants: readonly Mutant[] = [
  {
    name: 'a filter may be longer than its elements',
    file: at('compact-filter'),
    from: '  bits.end()\n',
    to: '',
    tests: [codec],
  },
  {
    name: 'filters show OP_RETURN',
    file: at('compact-filter'),
    from: 'script.length > 0 && script[0] !== op.return',
    to: 'script.length > 0',
    tests: [codec],
  },
  {
    name: 'filters leave out what a block spends',
    file: at('regtest/chain'),
    from: 'return before.flatMap((coin) => coin?.script ?? [])',
    to: 'return before.flatMap(() => [])',
    tests: [server, client],
  },
  {
    name: 'a filter may hide an output script',
    file: at('filter-judge'),
    from: 'return found.length < required.length',
    to: 'return found.length < 0',
    tests: [client],
  },
  {
    name: 'spends count for no element of a filter',
    file: at('filter-judge'),
    from: 'if (filter.count > outputs.size + spends.length)',
    to: 'if (filter.count > outputs.size)',
    tests: [liars],
  },
  {
    name: 'blocks of undecided heights are not read',
    file: at('filter-client'),
    from: 'height > tip - FULL_BLOCKS || this.#sync.undecided.has(height)',
    to: 'height > tip - FULL_BLOCKS',
    tests: [client, liars],
  },
  {
    name: 'a filter is taken without its hash',
    file: at('filter-client'),
    from: 'const isTrue = this.#chain.hasHash(node.height, filterHash(filter))',
    to: 'const isTrue = true',
    tests: [client],
  },
  {
    name: 'what a liar let be found stays found',
    file: at('filter-client'),
    from: '          this.#rewind(action.height)',
    to: '          void action.height',
    tests: [`${client}#alone is found out`],
  },
  {
    name: 'peers are not walked along the chain of the first',
    file: at('filter-sync'),
    from: 'const behind = this.peers.filter(({ index, at }) => at < heightOf(index))',
    to: 'const behind = this.peers.filter(({ index }) => heightOf(index) < 0)',
    tests: [client],
  },
  {
    name: 'a spend outlives its block',
    file: at('filter-scan'),
    from: '        this.#coins.set(key, { ...coin, spent: undefined })',
    to: '        void key',
    tests: [`${client}#reorganisation`],
  },
  {
    name: 'findings are taken without their checksum',
    file: at('filter-memory'),
    from: 'if (!equalBytes(bytes.subarray(content.length), checksum))',
    to: 'if (checksum.length === 0)',
    tests: [memory],
  },
  {
    name: 'a transaction may have 64 bytes',
    file: at('merkle-proof'),
    from: 'strippedSize(tx) === INNER_NODE_SIZE',
    to: 'strippedSize(tx) === 0',
    tests: [proofs],
  },
  {
    name: 'a proof may be deeper than that of the coinbase',
    file: at('merkle-proof'),
    from: 'branch.siblings.length !== coinbase.branch.siblings.length',
    to: 'branch.siblings.length < 0',
    tests: [proofs],
  },
  {
    name: 'a node may be its own neighbour',
    file: at('merkle-proof'),
    from: 'if (equalBytes(sibling, hash) !== isAlone)',
    to: 'if (isAlone && width < 0)',
    tests: [proofs],
  },
]
