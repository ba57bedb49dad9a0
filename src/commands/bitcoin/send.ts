/** `ckbtc bitcoin send`. Implements `docs/spec/cli.md` §5.17. */
import { UsageInvalid } from '../../core/base/errors.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'

const HEX_LENGTH_MAX = 800_000

export async function send({ args }: Invocation, context: Context): Promise<void> {
  const hex = (args[0] ?? '').toLowerCase()
  if (!/^(?:[0-9a-f]{2})+$/.test(hex) || hex.length > HEX_LENGTH_MAX)
    throw new UsageInvalid('a transaction is given in hexadecimal, two digits a byte', {
      fix: 'give the whole transaction as one word',
      command: 'ckbtc bitcoin send --help',
    })
  const { terminal, signal } = context
  const { txid, isTaken } = await (await controlOf(context)).ask('send', { hex }, { signal })
  printLocal(terminal, {
    schema: 'bitcoin-send',
    data: { txid, isTaken },
    essential: txid,
    print: () => terminal.answer(isTaken ? `Sent ${txid}` : `Announced ${txid}`),
  })
}
