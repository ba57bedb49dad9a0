/** `ckbtc bitcoin flag`. Implements `docs/spec/cli.md` §5.17. */
import { parseCount } from '../../core/base/amounts.ts'
import { UsageInvalid } from '../../core/base/errors.ts'
import { CHECKER_MODES } from '../../host/control/checker-modes.ts'
import type { Context } from '../context.ts'
import type { Invocation, Options } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'

const TARGET_LENGTH_MAX = 200
const TIMES_MAX = 1_000_000

export async function flag({ args, options }: Invocation, context: Context): Promise<void> {
  const [typed = ''] = args
  const word = options.text('mode')
  if (word !== undefined) {
    if (typed !== '' || options.isOn('remove')) throw unclear()
    await setMode(word, options, context)
    return
  }
  // Base58 addresses tell cases apart.
  const target = typed.includes(':') ? typed.toLowerCase() : typed
  if (target === '' || target.length > TARGET_LENGTH_MAX || options.text('times') !== undefined)
    throw unclear()
  const flagged = !options.isOn('remove')
  const { terminal, signal } = context
  const control = await controlOf(context)
  await control.ask('flag', { target, flagged }, { signal })
  printLocal(terminal, {
    schema: 'bitcoin-flag',
    data: { target, flagged },
    essential: flagged ? 'flagged' : 'not-flagged',
    print: () =>
      terminal.answer(
        flagged ? `The checker refuses ${target}.` : `The checker has nothing against ${target}.`,
      ),
  })
}

const unclear = (): UsageInvalid =>
  new UsageInvalid('what is flagged is a coin or an address, or --mode says what is answered', {
    fix: 'give <txid>:<vout>, a Bitcoin address, or --mode with --times',
    command: 'ckbtc bitcoin flag --help',
  })

async function setMode(word: string, options: Options, context: Context): Promise<void> {
  const mode = CHECKER_MODES.find((each) => each === word)
  if (mode === undefined) throw unclear()
  const typed = options.text('times')
  const limits = { what: 'the number of checks', min: 1, max: TIMES_MAX }
  const times = typed === undefined ? undefined : parseCount(typed, limits)
  const { terminal, signal } = context
  const control = await controlOf(context)
  await control.ask('checker-mode', { mode, times }, { signal })
  const checks = times === 1 ? 'the next check' : `the next ${times} checks`
  printLocal(terminal, {
    schema: 'bitcoin-flag',
    data: { mode, times: times ?? null },
    essential: mode,
    print: () =>
      terminal.answer(
        times === undefined
          ? `The checker is in the mode ${mode}.`
          : `The checker is in the mode ${mode} for ${checks}.`,
      ),
  })
}
