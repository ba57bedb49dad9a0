/** `ckbtc signer info`. Implements `docs/spec/cli.md` §5.18. */

import { KEY_SCHEMES } from '../../core/base/key-scheme.ts'
import { printPairs } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'
import { marginWarnings, schemeNames } from './arguments.ts'

export async function info(_: Invocation, context: Context): Promise<void> {
  const { terminal, signal } = context
  const found = await (await controlOf(context)).ask('signer-info', {}, { signal })
  const { nodes, nodesUp, tolerates, sharesToSign, nodesToProgress, presignatures } = found
  const { minterKey, operatorKeys, keyVersion, refresh } = found
  printLocal(terminal, {
    schema: 'signer-info',
    data: { schemes: KEY_SCHEMES, ...found },
    essential: minterKey.publicKey ?? '',
    warnings: marginWarnings(found),
    print: () =>
      printPairs(terminal, [
        ...KEY_SCHEMES.map(
          (scheme, i) => [i === 0 ? 'Schemes' : '', `${schemeNames[scheme]} (${scheme})`] as const,
        ),
        ['Nodes', `${nodesUp.length} of ${nodes} up, ${nodesToProgress} needed to go on`],
        ['Signing', `any ${sharesToSign} nodes make a signature`],
        ['Privacy', `up to ${tolerates} of them together learn nothing of the key`],
        ['Presignatures', `${presignatures} in stock`],
        ['Shares', `version ${keyVersion}${refresh === 'none' ? '' : `, a refresh is ${refresh}`}`],
        [`Key ${minterKey.keyId}`, `${minterKey.publicKey} (the minter's)`],
        ...KEY_SCHEMES.map((scheme) => {
          const { keyId, publicKey } = operatorKeys[scheme]
          return [
            `Key ${keyId}, ${scheme}`,
            publicKey ?? 'made when it is asked for first',
          ] as const
        }),
      ]),
  })
}
