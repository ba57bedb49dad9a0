/**
 * The story of the demo in words: one row a step. Implements the output of `docs/spec/cli.md` §5.1.
 */
import { formatBtc } from '../../core/base/units.ts'
import type { StepRow } from '../../terminal/steps.ts'
import { shorten } from '../../terminal/steps.ts'
import type { DemoStep, DemoStepName, DemoVerdict } from './types.ts'

/** Below this many nodes none may fail, the threshold is one, and each node knows the key. */
export const NODES_FOR_SECRECY = 4

type Heading = { readonly number: number; readonly label: string; readonly doing: string }

/** Number, label and what is being done while the step runs. */
export const headings: Readonly<Record<DemoStepName, Heading>> = {
  subnet: { number: 1, label: 'Subnet', doing: 'making one key together' },
  'deposit-address': { number: 2, label: 'Deposit address', doing: 'asking the minter' },
  deposit: { number: 3, label: 'Deposit', doing: 'paying on Bitcoin' },
  mint: { number: 4, label: 'Mint', doing: 'asking the minter to look' },
  transfer: { number: 5, label: 'Transfer', doing: 'sending to dev1' },
  redeem: { number: 6, label: 'Redeem', doing: 'burning and signing' },
  reserves: { number: 7, label: 'Reserves', doing: 'counting both sides' },
}

type Telling = {
  readonly nodes: number
  /** Identifiers in full. */
  readonly verbose: boolean
}

/** The row that reports a finished step. */
export function stepRow(step: DemoStep, telling: Telling): StepRow {
  const { number, label } = headings[step.name]
  const ms = step.name === 'deposit-address' || step.name === 'reserves' ? undefined : step.ms
  return { number, label, ok: step.ok, ms, ...sentence(step, telling) }
}

function sentence(step: DemoStep, { nodes, verbose }: Telling): Pick<StepRow, 'text' | 'below'> {
  const brief = (identifier: string, shown?: number): string =>
    verbose ? identifier : shorten(identifier, shown)
  switch (step.name) {
    case 'subnet':
      return { text: keyMade(nodes), below: [`key  ${brief(step.publicKey)}`] }
    case 'deposit-address': {
      const address = brief(step.address, 10).padEnd(26)
      return { text: `${address}  derived from the key + your account`, below: [] }
    }
    case 'deposit': {
      const confirmed = `${step.confirmations}/${step.confirmations} confirmations`
      return { text: `${formatBtc(step.amountSat)} BTC  ${confirmed}`, below: [] }
    }
    case 'mint': {
      const fee = `(check fee ${step.feeSat} sat)`
      return { text: `${formatBtc(step.amountSat)} ckBTC  ${fee}`, below: [] }
    }
    case 'transfer': {
      const fee = `(fee ${step.feeSat} sat)`
      return { text: `${formatBtc(step.amountSat)} ckBTC → ${step.to}  ${fee}`, below: [] }
    }
    case 'redeem': {
      const [burned, arrived] = [formatBtc(step.amountSat), formatBtc(step.receivedSat)]
      const { signedBy } = step
      const signers = `signed by node${signedBy.length === 1 ? '' : 's'} ${signedBy.join(' ')}`
      return {
        text: `${burned} ckBTC burned → ${arrived} BTC`,
        below: [`${signers}, tx ${verbose ? step.txid : `${step.txid.slice(0, 4)}…`}, confirmed`],
      }
    }
    case 'reserves': {
      const sides = `${formatBtc(step.reservesSat)} BTC hold ${formatBtc(step.supplySat)} ckBTC`
      return { text: `${sides}     ${verdictWords(step, '  ')}`, below: [] }
    }
  }
}

function keyMade(nodes: number): string {
  if (nodes === 1) return '1 node made a key, and knows it'
  if (nodes < NODES_FOR_SECRECY)
    return `${nodes} nodes made one key together; each of them knows it`
  return `${nodes} nodes made one key together; no node knows it`
}

/** `BACKED +410 sat`. */
export function verdictWords(
  { verdict, surplusSat }: { readonly verdict: DemoVerdict; readonly surplusSat: bigint },
  gap = ' ',
): string {
  const sign = surplusSat < 0n ? '' : '+'
  return `${verdict.toUpperCase()}${gap}${sign}${surplusSat} sat`
}
