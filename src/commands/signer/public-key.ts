/** `ckbtc signer public-key`. Implements `docs/spec/cli.md` §5.18. */
import { printPairs } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'
import { accountOption, schemeOption } from './arguments.ts'

export async function publicKey({ options }: Invocation, context: Context): Promise<void> {
  const scheme = schemeOption(options, 'ckbtc signer public-key')
  const account = accountOption(options)
  const { terminal, signal } = context
  const control = await controlOf(context)
  const found = await control.ask('signer-public-key', { scheme, account }, { signal })
  const { keyId, masterPublicKey, path, publicKey: derived, chainCode } = found
  const isExplained = options.isOn('explain')
  printLocal(terminal, {
    schema: 'signer-public-key',
    data: { scheme, ...found },
    essential: derived,
    print: () =>
      printPairs(terminal, [
        ['Key', keyId],
        ['Master key', masterPublicKey],
        ...(isExplained ? path.map(explained) : []),
        ['Public key', derived],
        ...(isExplained ? ([['Chain code', chainCode]] as const) : []),
      ]),
  })
}

const explained = (element: string, place: number): readonly [string, string] => [
  `Step ${place + 1}`,
  place === 0 ? `${element} (the subnet, which asks)` : element,
]
