/** `ckbtc signer sign`. Implements `docs/spec/cli.md` §5.18. */
import { openProgress } from '../../terminal/progress.ts'
import { formatSeconds } from '../../terminal/steps.ts'
import { printPairs } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal, requireLocal } from '../local-network.ts'
import { accountOption, schemeOption, signedOption, taprootRootOption } from './arguments.ts'

const COMMAND = 'ckbtc signer sign'

export async function sign({ options }: Invocation, context: Context): Promise<void> {
  const scheme = schemeOption(options, COMMAND)
  requireLocal(context)
  const account = accountOption(options)
  const taprootRoot = taprootRootOption(options, scheme, COMMAND)
  const message = await signedOption(options, scheme, COMMAND)
  const { terminal, signal } = context
  const control = await controlOf(context)
  const progress = await openProgress(terminal)
  progress.show({ number: 1, label: 'Signing', text: 'the nodes make a signature' })
  const made = await control
    .ask('signer-sign', { scheme, message, taprootRoot, account }, { signal })
    .finally(() => progress.stop())
  const { signature, publicKey, nodes, keyId, totalMs } = made
  const hash = scheme === 'ecdsa' ? message : undefined
  const check = [
    `ckbtc signer verify ${hash === undefined ? `--scheme ${scheme}` : `--hash ${hash}`} \\`,
    ...(hash === undefined ? [`  --message ${options.text('message') ?? '-'} \\`] : []),
    ...(taprootRoot === undefined ? [] : [`  --taproot-root "${taprootRoot}" \\`]),
    `  --signature ${signature} \\`,
    `  --public-key ${publicKey}`,
  ]
  printLocal(terminal, {
    schema: 'signer-sign',
    data: {
      scheme,
      signature,
      publicKey,
      hash,
      taprootRoot,
      keyId,
      nodes,
      rounds: undefined,
      bytes: undefined,
      ms: { presign: undefined, sign: undefined, combine: undefined, total: totalMs },
      blamed: [],
    },
    essential: signature,
    print: () =>
      printPairs(terminal, [
        ['Signature', signature],
        ['Public key', publicKey],
        ...(hash === undefined ? [] : ([['Hash', hash]] as const)),
        ['Made by', `nodes ${nodes.join(', ')} in ${formatSeconds(totalMs)}`],
        ...check.map((line, place) => [place === 0 ? 'Check' : '', line] as const),
      ]),
  })
}
