/** `ckbtc bitcoin faucet`. Implements `docs/spec/cli.md` §5.17. */
import { amountText, parseAmount, parseCount } from '../../core/base/amounts.ts'
import { Problem, UsageInvalid } from '../../core/base/errors.ts'
import { writeAccount } from '../../host/control/account-shape.ts'
import type { ControlClient } from '../../host/control/client.ts'
import { OUTPUTS_MAX } from '../../host/control/protocol.ts'
import { checkAddress } from '../../wallet/deposit-address.ts'
import { parseAccount, parseBitcoinAddress } from '../../wallet/destinations.ts'
import { resolveNetwork } from '../../wallet/networks.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, LOCAL, printLocal } from '../local-network.ts'

const HELP = 'ckbtc bitcoin faucet --help'

export async function faucet({ args, options }: Invocation, context: Context): Promise<void> {
  const amount = parseAmount(args.join(' '))
  if (amount === 0n)
    throw new UsageInvalid('the faucet pays more than nothing', {
      fix: 'give an amount like 0.5btc',
      command: HELP,
    })
  const to = options.text('to')
  if (to === undefined)
    throw new UsageInvalid('--to is missing: who is paid', {
      fix: 'give a Bitcoin address, an account, or dev0 … dev4',
      command: HELP,
    })
  const outputs = parseCount(options.text('outputs') ?? '1', {
    what: '--outputs',
    min: 1,
    max: OUTPUTS_MAX,
  })
  const control = await controlOf(context)
  const { terminal, signal } = context
  const address = await addressOf(to, control, context)
  const request = { amountSat: Number(amount), to: address, outputs, mine: options.isOn('mine') }
  const { txid, amountSat, blocks } = await control.ask('faucet', request, { signal })
  printLocal(terminal, {
    schema: 'bitcoin-faucet',
    data: { txid, amountSat, address, blocks },
    essential: txid,
    print: () => {
      terminal.answer(`Paid ${amountText(amount, 'BTC')} to ${address}`)
      terminal.answer(`Transaction ${txid}`)
      if (to !== address)
        terminal.answer(
          `This is the deposit address of ${to}; it becomes ckBTC when it is confirmed.`,
        )
    },
  })
}

/**
 * An account is paid at its deposit address, which the minter is told to watch: what is paid there
 * becomes ckBTC by itself. Throws `BTC_…`, `ACCOUNT_INVALID` or `RAIL_ADDRESS_MISMATCH`.
 */
async function addressOf(
  to: string,
  control: ControlClient,
  { directories, signal }: Context,
): Promise<string> {
  try {
    return parseBitcoinAddress(to, { network: 'regtest' }).address
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'DEST_IS_ACCOUNT') throw error
  }
  const account = parseAccount(to, { isLocal: true })
  const asked = { account: writeAccount(account) }
  const { address } = await control.ask('deposit-address', asked, { signal })
  checkAddress(await resolveNetwork(LOCAL, { directories }), account, address)
  return address
}
