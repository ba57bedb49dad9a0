/** `ckbtc signer info`. Implements `docs/spec/cli.md` §5.18. */
import { printPairs } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'

const SCHEME = 'threshold ECDSA on secp256k1'

export async function info(_: Invocation, context: Context): Promise<void> {
  const { terminal, signal } = context
  const found = await (await controlOf(context)).ask('signer-info', {}, { signal })
  const { nodes, nodesUp, tolerates, sharesToSign, nodesToProgress, presignatures } = found
  const { minterKey, operatorKey } = found
  printLocal(terminal, {
    schema: 'signer-info',
    data: { scheme: 'ecdsa', ...found },
    essential: minterKey.publicKey ?? '',
    print: () =>
      printPairs(terminal, [
        ['Scheme', SCHEME],
        ['Nodes', `${nodesUp.length} of ${nodes} up, ${nodesToProgress} needed to go on`],
        ['Signing', `any ${sharesToSign} nodes make a signature`],
        ['Privacy', `up to ${tolerates} of them together learn nothing of the key`],
        ['Presignatures', `${presignatures} in stock`],
        [`Key ${minterKey.keyId}`, `${minterKey.publicKey} (the minter's)`],
        [`Key ${operatorKey.keyId}`, operatorKey.publicKey ?? 'made when it is asked for first'],
      ]),
  })
}
