/** `ckbtc key unlock` and `ckbtc key lock`. Implements `docs/spec/cli.md` §§3.13, 5.11. */
import { parseDuration } from '../../core/base/amounts.ts'
import { UsageInvalid } from '../../core/base/errors.ts'
import { printAnswer } from '../../terminal/answer.ts'
import { principalText } from '../../wallet/keys/describe.ts'
import { keyOf } from '../../wallet/keys/key-file.ts'
import { keyRulesOf } from '../../wallet/keys/select.ts'
import type { Network } from '../../wallet/network.ts'
import { resolveNetwork } from '../../wallet/networks.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import type { KeyPorts } from '../key-ports.ts'
import { keyPorts } from '../key-ports.ts'
import { select, unlockedOf } from '../keys.ts'
import { networkNameOf } from '../network-name.ts'
import { openMaterial } from './passwd.ts'
import { openSession } from './session.ts'

const STANDARD_TIME = '15m'

export async function keyUnlock(
  { options }: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const forMs = parseDuration(options.text('for') ?? STANDARD_TIME)
  const network = await networkOf(context)
  const session = await openSession(context, ports)
  const { chosen, warnings } = select(context, keyRulesOf(network), ports)
  const { name, principal, protection } = chosen
  if (protection !== 'passphrase')
    throw new UsageInvalid(`key ${name} has no passphrase: it is never locked`, {
      fix: 'use it as it is',
      command: 'ckbtc key unlock --help',
    })
  const material = await openMaterial(session, name)
  const endMs = unlockedOf(context, ports).add(name, keyOf(material), { network, forMs })
  const expiresAt = new Date(endMs).toISOString()
  const { terminal } = context
  printAnswer(terminal, {
    schema: 'key-unlock',
    network: network.name,
    data: { key: name, principal: principalText(principal), expiresAt },
    warnings,
    essential: expiresAt,
    print: () => {
      terminal.answer(
        `${terminal.paint.good('✓')} Key ${name} signs on ${network.name} until ${expiresAt}`,
      )
      terminal.answer('  Lock it sooner:  ckbtc key lock')
    },
  })
}

const networkOf = (context: Context): Promise<Network> =>
  resolveNetwork(networkNameOf(context), { directories: context.directories })

export async function keyLock(
  _: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const { terminal } = context
  const locked = unlockedOf(context, ports).drop()
  printAnswer(terminal, {
    schema: 'key-lock',
    network: networkNameOf(context),
    data: { locked },
    warnings: [],
    essential: `${locked}`,
    print: () =>
      terminal.answer(
        locked === 0 ? 'No key was unlocked' : `${terminal.paint.good('✓')} Every key is locked`,
      ),
  })
}
