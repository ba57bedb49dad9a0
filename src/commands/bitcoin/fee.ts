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

export async function fee({ args }: Invocation, context: Context): Promise<void> {
  const [text = ''] = args
  const rate = text === 'auto' ? undefined : parseFeeRate(text)
  if (rate !== undefined && (rate < RATE_MIN || rate > RATE_MAX))
    throw new UsageInvalid(`a fee level of ${text} cannot be set`, {
      fix: 'give a rate from 1satvb to 1000000satvb, or auto',
      command: 'ckbtc bitcoin fee --help',
    })
  const rateMsatPerVb = rate === undefined ? undefined : Number(rate)
  const { terminal, signal } = context
  await (await controlOf(context)).ask('fee', { rateMsatPerVb }, { signal })
  const rateSatPerVb = rateMsatPerVb === undefined ? undefined : rateMsatPerVb / MSAT
  const shown = rateSatPerVb === undefined ? 'auto' : `${rateSatPerVb} sat/vB`
  printLocal(terminal, {
    schema: 'bitcoin-fee',
    data: { rateSatPerVb, mode: rate === undefined ? 'auto' : 'set' },
    essential: shown,
    print: () =>
      terminal.answer(
        rate === undefined
          ? 'Fee estimates follow the blocks.'
          : `Fee estimates see ${shown}, whatever the blocks say.`,
      ),
  })
}
