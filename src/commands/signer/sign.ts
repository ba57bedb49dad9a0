/** `ckbtc signer sign`. Implements `docs/spec/cli.md` §5.18. */
import { openProgress } from '../../terminal/progress.ts'
import { formatSeconds } from '../../terminal/steps.ts'
import { printPairs } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal, requireLocal } from '../local-network.ts'
import {
  accountOption,
  nodesOption,
  schemeOption,
  signedOption,
  taprootRootOption,
} from './arguments.ts'
import { phasesText } from './phases.ts'
import { notTold, requireFree, transcriptText, writeTranscript } from './transcript-file.ts'

const COMMAND = 'ckbtc signer sign'

export async function sign({ options }: Invocation, context: Context): Promise<void> {
  const scheme = schemeOption(options, COMMAND)
  requireLocal(context)
  const account = accountOption(options)
  const taprootRoot = taprootRootOption(options, scheme, COMMAND)
  const message = await signedOption(options, scheme, COMMAND)
  const [only, file] = [nodesOption(options), options.text('transcript')]
  if (file !== undefined) requireFree(file)
  const { terminal, signal, version } = context
  const control = await controlOf(context)
  const progress = await openProgress(terminal)
  progress.show({ number: 1, label: 'Signing', text: 'the nodes make a signature' })
  const asked = { scheme, message, taprootRoot, account, only, transcript: file !== undefined }
  const made = await control.ask('signer-sign', asked, { signal }).finally(() => progress.stop())
  const { signature, publicKey, nodes, keyId, ms, blamed, slots, shareBytes, transcript } = made
  if (file !== undefined) {
    if (transcript === undefined) throw notTold(signature)
    writeTranscript(file, transcriptText({ transcript, message, version }))
  }
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
      rounds: slots,
      bytes: shareBytes,
      ms,
      blamed,
      transcript: file,
    },
    essential: signature,
    print: () =>
      printPairs(terminal, [
        ['Signature', signature],
        ['Public key', publicKey],
        ...(hash === undefined ? [] : ([['Hash', hash]] as const)),
        ['Made by', `nodes ${nodes.join(', ')} in ${formatSeconds(ms.total)}`],
        ['Phases', phasesText(ms)],
        ...(blamed.length === 0 ? [] : ([['False shares', `nodes ${blamed.join(', ')}`]] as const)),
        ...(file === undefined ? [] : ([['Transcript', file]] as const)),
        ...check.map((line, place) => [place === 0 ? 'Check' : '', line] as const),
      ]),
  })
}
