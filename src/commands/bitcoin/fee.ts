/** `ckbtc bitcoin fee`. Implements `docs/spec/cli.md` §5.17. */
import { parseFeeRate } from '../../core/base/amounts.ts'
import { UsageInvalid } from '../../core/base/errors.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'

/** What nodes relay at all, and a rate that no block has seen. */
const RATE_MIN = 1_000n
const RATE_MAX = 1_000_000_000n
const MSAT = 1_000
const HELP = 'ckbtc bitcoin fee --help'

export async function fee({ args, options }: Invocation, context: Context): Promise<void> {
  const [text] = args
  const minimumText = options.text('minimum')
  if (text === undefined && minimumText === undefined)
    throw new UsageInvalid('neither a level nor a minimum was given', {
      fix: 'give a rate like 12satvb, auto, or --minimum with a rate',
      command: HELP,
    })
  const level = text === undefined ? undefined : { rate: rateOf(text, 'auto') }
  const minimum = minimumText === undefined ? undefined : { rate: rateOf(minimumText, 'default') }
  const { terminal, signal } = context
  const control = await controlOf(context)
  if (level !== undefined)
    await control.ask('fee', { rateMsatPerVb: numberOf(level.rate) }, { signal })
  const set =
    minimum && (await control.ask('minimum-fee', { rateMsatPerVb: numberOf(minimum.rate) }))
  const rateSatPerVb = level?.rate === undefined ? undefined : Number(level.rate) / MSAT
  const minimumSatPerVb = set && set.rateMsatPerVb / MSAT
  const mode = level === undefined ? null : level.rate === undefined ? 'auto' : 'set'
  const shown = rateSatPerVb === undefined ? 'auto' : `${rateSatPerVb} sat/vB`
  printLocal(terminal, {
    schema: 'bitcoin-fee',
    data: { rateSatPerVb, mode, minimumSatPerVb, droppedTxids: set?.droppedTxids ?? [] },
    essential: level === undefined ? `${minimumSatPerVb} sat/vB` : shown,
    print: () => {
      if (level !== undefined)
        terminal.answer(
          level.rate === undefined
            ? 'Fee estimates follow the blocks.'
            : `Fee estimates see ${shown}, whatever the blocks say.`,
        )
      if (set === undefined) return
      terminal.answer(`The node takes and mines nothing below ${minimumSatPerVb} sat/vB.`)
      for (const txid of set.droppedTxids) terminal.answer(`  no longer waits: tx ${txid}`)
    },
  })
}

const numberOf = (rate: bigint | undefined): number | undefined =>
  rate === undefined ? undefined : Number(rate)

/** Undefined for the word that takes a rate back. */
function rateOf(text: string, word: 'auto' | 'default'): bigint | undefined {
  const rate = text === word ? undefined : parseFeeRate(text)
  if (rate === undefined || (rate >= RATE_MIN && rate <= RATE_MAX)) return rate
  throw new UsageInvalid(`a fee level of ${text} cannot be set`, {
    fix: `give a rate from 1satvb to 1000000satvb, or ${word}`,
    command: HELP,
  })
}
