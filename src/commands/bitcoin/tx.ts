/** `ckbtc bitcoin tx`. Implements `docs/spec/cli.md` §5.17. */
import { amountText } from '../../core/base/amounts.ts'
import { Problem, UsageInvalid } from '../../core/base/errors.ts'
import type { TransactionReply } from '../../host/control/protocol.ts'
import { printPairs, printTable } from '../../terminal/table.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'
import { evidenceWords } from './evidence-words.ts'
import type { WhoIsWho } from './who-is-who.ts'
import { whoIsWho } from './who-is-who.ts'

export async function tx({ args }: Invocation, context: Context): Promise<void> {
  const txid = (args[0] ?? '').toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(txid))
    throw new UsageInvalid('a transaction is named by 64 hexadecimal digits', {
      fix: 'give its txid as explorers show it',
      command: 'ckbtc bitcoin tx --help',
    })
  const { terminal, signal, directories } = context
  const found = await (await controlOf(context)).ask('tx', { txid }, { signal })
  if (found === undefined)
    throw new Problem('BTC_REFUSED', `the local chain knows no transaction ${txid}`, {
      fix: 'check the txid; a reorganisation may have removed it',
      details: { txid },
    })
  const names = await whoIsWho(directories)
  printLocal(terminal, {
    schema: 'bitcoin-tx',
    data: dataOf(found, names),
    essential: found.hex,
    print: () => printTransaction(terminal, found, names),
  })
}

type Party = NonNullable<TransactionReply['inputs'][number]['from']>

const nameOf = (party: Party, names: WhoIsWho): string | undefined =>
  party.isFaucet ? 'faucet' : names.get(party.address ?? '')

function dataOf({ inputs, outputs, ...rest }: TransactionReply, names: WhoIsWho) {
  const sideOf = (party: Party | undefined) => ({
    address: party?.address,
    amountSat: party?.amountSat,
    name: party && nameOf(party, names),
  })
  return {
    ...rest,
    inputs: inputs.map(({ txid, vout, from }) => ({ txid, vout, ...sideOf(from) })),
    outputs: outputs.map(sideOf),
  }
}

function printTransaction(
  terminal: Terminal,
  { txid, confirmations, height, vsize, feeSat, isCoinbase, ...rest }: TransactionReply,
  names: WhoIsWho,
): void {
  const { inputs, outputs, evidence } = rest
  const where = height === undefined ? 'waits for a block' : `in block ${height}`
  const fee = feeSat === undefined ? '–' : `${feeSat} sat, ${(feeSat / vsize).toFixed(1)} sat/vB`
  printPairs(terminal, [
    ['Transaction', txid],
    ['Confirmations', `${confirmations}, ${where}`],
    ...(evidence === undefined ? [] : [['Evidence', evidenceWords(evidence)] as const]),
    ['Size', `${vsize} vB`],
    ['Fee', isCoinbase ? 'none: it pays the miner' : fee],
  ])
  terminal.answer('')
  const row = (side: string, party: Party | undefined): readonly string[] => [
    side,
    party === undefined ? '–' : amountText(BigInt(party.amountSat), 'BTC'),
    party?.address ?? (party === undefined ? '–' : 'no address'),
    (party && nameOf(party, names)) ?? '',
  ]
  printTable(
    terminal,
    [{ title: '' }, { title: 'Amount', align: 'right' }, { title: 'Address' }, { title: 'Who' }],
    [...inputs.map(({ from }) => row('in', from)), ...outputs.map((output) => row('out', output))],
  )
}
