/** `ckbtc subnet corrupt-node`. Implements `docs/spec/cli.md` §5.16. */
import { parseDuration } from '../../core/base/amounts.ts'
import { UsageInvalid } from '../../core/base/errors.ts'
import type { RequestOf } from '../../host/control/protocol.ts'
import { FAULT_DELAY_MS_MAX, faultKinds } from '../../host/control/protocol.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'
import { goesOn, parseIds, printStrength, strengthWarnings } from './strength.ts'

type Fault = Pick<RequestOf<'corrupt-node'>, 'fault' | 'delayMs'>

const SLOW = 'slow='
const MINUTE_MS = 60_000

/** Throws `USAGE_INVALID`. */
export function parseFault(text: string | undefined): Fault {
  if (text?.startsWith(SLOW) === true)
    return { fault: 'slow', delayMs: parseDelay(text.slice(SLOW.length)) }
  const fault = faultKinds.find((kind) => kind === text)
  if (fault !== undefined && fault !== 'slow') return { fault, delayMs: undefined }
  const names = faultKinds.map((kind) => (kind === 'slow' ? 'slow=<d>' : kind)).join(', ')
  throw new UsageInvalid(
    text === undefined ? 'how the node is to lie is not said' : `there is no fault "${text}"`,
    { fix: `give --fault with one of ${names}`, command: 'ckbtc subnet corrupt-node --help' },
  )
}

function parseDelay(text: string): number {
  const delayMs = parseDuration(text)
  if (delayMs > 0 && delayMs <= FAULT_DELAY_MS_MAX) return delayMs
  throw new UsageInvalid(
    `slow takes from 1s to ${FAULT_DELAY_MS_MAX / MINUTE_MS}m, found "${text}"`,
    {
      fix: 'give a delay in that range, or --fault silent',
      command: 'ckbtc subnet corrupt-node --help',
    },
  )
}

export async function corruptNode({ args, options }: Invocation, context: Context): Promise<void> {
  const fault = parseFault(options.text('fault'))
  const [id = 0] = parseIds(args)
  const { terminal, signal } = context
  const corrupted = await (await controlOf(context)).ask(
    'corrupt-node',
    { id, ...fault },
    { signal },
  )
  printLocal(terminal, {
    schema: 'subnet-corrupt-node',
    data: { ...corrupted, fault: options.text('fault'), goesOn: goesOn(corrupted) },
    essential: `${id}`,
    warnings: strengthWarnings(terminal, corrupted),
    print: () => {
      terminal.answer(`Node ${id} lies from now on. Who finds out: ckbtc subnet logs --follow`)
      printStrength(terminal, corrupted)
    },
  })
}
