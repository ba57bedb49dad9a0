/** `ckbtc bitcoin reorg`. Implements `docs/spec/cli.md` §5.17. */
import { parseCount } from '../../core/base/amounts.ts'
import { BLOCKS_MAX } from '../../host/control/protocol.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'

export async function reorg({ args, options }: Invocation, context: Context): Promise<void> {
  const depth = parseCount(args[0] ?? '', { what: 'the depth', min: 1, max: BLOCKS_MAX })
  const dropTransactions = options.isOn('dropTxs')
  const { terminal, signal } = context
  const control = await controlOf(context)
  const reply = await control.ask('reorg', { depth, dropTransactions }, { signal })
  const { oldTip, newTip, height, unconfirmedTxids, minConfirmations } = reply
  const message =
    `${depth} blocks are as deep as the minter's ${minConfirmations} confirmations: ` +
    'it may have minted for a deposit that is gone'
  const isDeep = depth >= minConfirmations
  printLocal(terminal, {
    schema: 'bitcoin-reorg',
    data: { oldTip, newTip, height, depth, unconfirmedTxids },
    warnings: isDeep ? [{ code: 'REORG_BEYOND_CONFIRMATIONS', message }] : [],
    essential: newTip,
    print: () => {
      terminal.answer(`Replaced ${depth} blocks by ${depth + 1}. Height ${height}, ${newTip}`)
      if (unconfirmedTxids.length === 0) return
      const became = dropTransactions ? 'are gone' : 'lost their confirmations'
      terminal.answer(`Transactions that ${became}:`)
      for (const txid of unconfirmedTxids) terminal.answer(`  ${txid}`)
    },
  })
}
