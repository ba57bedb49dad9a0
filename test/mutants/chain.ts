/** Mutants of the chain view, of the Bitcoin canister's interface, and of coins that are lost. */
import type { Mutant } from './mutant.ts'

const view = 'core/btc/chain-view.test.ts'
const deep = 'core/btc/deep-chains.test.ts'
const queries = 'core/btc/chain-queries.test.ts'
const api = 'core/subnet/bitcoin-api.test.ts'
const lost = 'core/minter/lost-coins.test.ts'

const at = (file: string): string => `btc/${file}.ts`

export const chainMutants: readonly Mutant[] = [
  {
    name: 'a body is judged before its merkle root',
    file: at('block'),
    from: "if (!equalBytes(root, block.header.merkleRoot)) return mutated('bad-txnmrklroot')",
    to: "if (!equalBytes(root, block.header.merkleRoot)) return invalid('bad-txnmrklroot')",
    tests: [view],
  },
  {
    name: 'a coinbase is mature a block early',
    file: at('block-spends'),
    from: 'context.height - utxo.height < COINBASE_MATURITY',
    to: 'context.height - utxo.height < COINBASE_MATURITY - 1',
    tests: [view],
  },
  {
    name: 'the longest branch is the main chain, whatever its work',
    file: at('block-tree'),
    from: 'Number(b.workDepth - a.workDepth) || b.depth - a.depth',
    to: 'b.depth - a.depth || Number(b.workDepth - a.workDepth)',
    tests: [deep],
  },
  {
    name: 'the anchor moves beside an equal branch',
    file: at('block-tree'),
    from: 'best.workDepth - (second?.workDepth ?? 0n) >= enough',
    to: 'best.workDepth >= (second?.workDepth ?? 0n)',
    tests: [deep, view],
  },
  {
    name: 'trees of test networks are not bounded',
    file: at('block-tree'),
    from: 'if (!tree.network.minDifficultyBlocks) return undefined',
    to: 'return undefined',
    tests: [deep],
  },
  {
    name: 'the anchor goes back on every network',
    file: at('chain-view'),
    from: "if (config.network.name !== 'regtest') return []",
    to: '',
    tests: [deep],
  },
  {
    name: 'a change of the tip is told again',
    file: at('chain-view'),
    from: '      state.tipTold = event.new\n',
    to: '',
    tests: [deep],
  },
  {
    name: 'a contested block counts its own depth',
    file: at('block-tree'),
    from: 'return block.depth - Math.max(0, ...others)',
    to: 'return block.depth',
    tests: [queries, api],
  },
  {
    name: 'balances count confirmations as outputs do',
    file: 'subnet/bitcoin-api.ts',
    from: 'const found = settings.strictConfirmations',
    to: 'const found = !settings.strictConfirmations',
    tests: [api],
  },
  {
    name: 'a diverged view goes on answering',
    file: 'subnet/bitcoin-api.ts',
    from: 'if (isDiverged(chain))',
    to: 'if (isDiverged(chain) && settings.syncing === false)',
    tests: [api],
  },
  {
    name: 'the synced view is asked for before the network',
    file: 'subnet/bitcoin-api.ts',
    from: 'closed(api, request) ?? behind(api) ?? charge(api, price)',
    to: 'behind(api) ?? closed(api, request) ?? charge(api, price)',
    tests: [api],
  },
  {
    name: 'a fee is kept without the maximum attached',
    file: 'subnet/bitcoin-api.ts',
    from: 'if (available < least)',
    to: 'if (available + 1n < least)',
    tests: [api],
  },
  {
    name: 'a coin that is gone is spent',
    file: 'minter/losses/lost-coins.ts',
    from: '  without: volatile.lost,',
    to: '  without: new Map(),',
    tests: [lost],
  },
  {
    name: 'a view that is behind forgets to look again',
    file: 'minter/losses/lost-coins.ts',
    from: 'if (isReorganised) mustLookAnew(volatile)',
    to: 'volatile.mustLook = isReorganised',
    tests: [lost],
  },
  {
    name: 'a coin that our own transaction has spent is called lost',
    file: 'minter/losses/lost-coins.ts',
    from: 'yield { utxo, changes }',
    to: 'yield { utxo, changes: [] }',
    tests: [lost],
  },
  {
    name: 'a coin that is spent by what is being signed is called lost',
    file: 'minter/losses/lost-coins.ts',
    from: 'yield { utxo, changes: ownChange(signing) }',
    to: 'yield { utxo, changes: [] }',
    tests: [lost],
  },
  {
    name: 'who was paid after all is paid again after a write-off',
    file: 'minter/losses/paid-already.ts',
    from: 'if (ports.bitcoin.confirmations(txid) > 0) return txid',
    to: 'if (ports.bitcoin.confirmations(txid) > 0) continue',
    tests: ['core/minter/losses.test.ts'],
  },
  {
    name: 'what pays in the place of another is cancelled',
    file: 'minter/losses/paid-already.ts',
    from: 'return begun.length > 1',
    to: 'return begun.length > 2',
    tests: ['core/minter/losses.test.ts'],
  },
  {
    name: 'a consolidation takes every coin',
    file: 'minter/config.ts',
    from: 'consolidationThreshold > inputsMax ? consolidationThreshold : inputsMax + 1n',
    to: 'consolidationThreshold',
    tests: ['core/minter/consolidation.test.ts'],
  },
  {
    name: 'an attempt is made twice when its coin comes back',
    file: 'minter/transactions/signing.ts',
    from: 'attemptOf(signing, key.input) !== key.attempt',
    to: '!open.has(name)',
    tests: [lost],
  },
]
