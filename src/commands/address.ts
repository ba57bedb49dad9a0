/** `ckbtc address`: where to deposit, and how that follows from the key. Implements cli §5.12. */
import { parseAmount, parseSubaccount } from '../core/base/amounts.ts'
import { toHex } from '../core/base/bytes.ts'
import { UsageInvalid } from '../core/base/errors.ts'
import { formatBtc } from '../core/base/units.ts'
import { printAnswer } from '../terminal/answer.ts'
import type { Warning } from '../terminal/json.ts'
import { printQr } from '../terminal/qr.ts'
import { printPairs } from '../terminal/table.ts'
import type { Account } from '../wallet/account-text.ts'
import { textOfAccount, textOfId } from '../wallet/account-text.ts'
import type { DepositAddress } from '../wallet/deposit-address.ts'
import { depositAddress } from '../wallet/deposit-address.ts'
import type { Context } from './context.ts'
import type { Invocation } from './definitions/command.ts'
import { readingAccount } from './reading-account.ts'
import type { Session } from './session.ts'
import { openSession } from './session.ts'

export async function address(
  { args: [typed], options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const [amountText, subaccountText] = [options.text('amount'), options.text('fromSubaccount')]
  const amount = amountText === undefined ? undefined : parseAmount(amountText)
  const subaccount = subaccountText === undefined ? undefined : parseSubaccount(subaccountText)
  const session = await open(context)
  const { warnings, account: own } = readingAccount(typed, session, context)
  const account = accountWith(own, subaccount)
  const found = await depositAddress(session.client, account)
  const uri = uriOf(found.address, amount)
  const { terminal } = context
  printAnswer(terminal, {
    schema: 'address',
    network: session.network.name,
    data: documentOf(found, account, uri),
    warnings: [...session.warnings, ...warnings, ...warningsOf(found)],
    essential: found.address,
    print: () => terminal.answer(found.address),
  })
  if (terminal.settings.json || terminal.settings.quiet) return
  if (options.isOn('explain')) explain(found, account, session, context)
  if (options.isOn('qr')) await showQr(uri, context)
}

function accountWith({ owner, subaccount: own }: Account, subaccount: Uint8Array | undefined) {
  if (subaccount === undefined) return own === undefined ? { owner } : { owner, subaccount: own }
  if (own === undefined) return { owner, subaccount }
  throw new UsageInvalid('the account names a subaccount already', {
    fix: 'leave --from-subaccount out',
    command: 'ckbtc address --help',
  })
}

const uriOf = (address: string, amount: bigint | undefined): string =>
  amount === undefined ? `bitcoin:${address}` : `bitcoin:${address}?amount=${formatBtc(amount)}`

const documentOf = ({ address, derivation }: DepositAddress, account: Account, uri: string) => ({
  address,
  account: textOfAccount(account),
  type: 'p2wpkh',
  publicKey: derivation && toHex(derivation.publicKey),
  verified: derivation !== undefined,
  uri,
})

function warningsOf({ derivation, asked }: DepositAddress): readonly Warning[] {
  if (derivation === undefined)
    return [
      {
        code: 'ADDRESS_NOT_VERIFIED',
        message:
          'not verified: the key of this network is not known, the address is the minter’s word',
      },
    ]
  if (asked) return []
  return [
    {
      code: 'MINTER_NOT_ASKED',
      message: 'the minter does not answer; the address follows from the key of the network alone',
    },
  ]
}

/** Network key → minter → account → public key → address. */
function explain(
  { derivation, address: text }: DepositAddress,
  { owner, subaccount }: Account,
  { network }: Session,
  { terminal }: Context,
): void {
  if (derivation === undefined) return
  const { masterKey, minterKey, publicKey } = derivation
  printPairs(terminal, [
    ['network key', toHex(masterKey)],
    ['minter', textOfId(network.ids.minter)],
    ['minter key', toHex(minterKey.publicKey)],
    ['chain code', toHex(minterKey.chainCode)],
    ['path', `01 · ${toHex(owner)} · ${toHex(subaccount ?? new Uint8Array(32))}`],
    ['public key', toHex(publicKey)],
    ['address', `${text}   P2WPKH of its hash`],
  ])
}

const WIDTH = 80

async function showQr(uri: string, { terminal, environment }: Context): Promise<void> {
  const { COLUMNS } = environment
  const columns = process.stderr.columns || Number(COLUMNS) || WIDTH
  if (!(await printQr(terminal, uri, columns)))
    terminal.note('ckbtc: note: the terminal is too narrow for the QR code')
}
