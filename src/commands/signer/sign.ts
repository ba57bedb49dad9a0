/** `ckbtc signer sign`. Implements `docs/spec/cli.md` §5.18. */
import { HostDisk } from '../../core/base/errors.ts'
import type { ReplyOf, RequestOf } from '../../host/control/protocol.ts'
import { openProgress } from '../../terminal/progress.ts'
import { formatSeconds } from '../../terminal/steps.ts'
import { printPairs } from '../../terminal/table.ts'
import { writePrivate } from '../../wallet/private-files.ts'
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
  const { signature, publicKey, nodes, blamed, keyId, totalMs } = made
  const file = options.text('transcript')
  if (file !== undefined) writeTranscript(file, { scheme, message, taprootRoot, ...made })
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
      blamed,
      transcript: file,
    },
    essential: signature,
    print: () =>
      printPairs(terminal, [
        ['Signature', signature],
        ['Public key', publicKey],
        ...(hash === undefined ? [] : ([['Hash', hash]] as const)),
        ['Made by', `nodes ${nodes.join(', ')} in ${formatSeconds(totalMs)}`],
        ...(blamed.length === 0 ? [] : ([['Blamed', `nodes ${blamed.join(', ')}`]] as const)),
        ...(file === undefined ? [] : ([['Transcript', file]] as const)),
        ...check.map((line, place) => [place === 0 ? 'Check' : '', line] as const),
      ]),
  })
}

type Signed = Pick<RequestOf<'signer-sign'>, 'scheme' | 'message' | 'taprootRoot'> &
  ReplyOf<'signer-sign'>

/** What the signature was made of, all of it public: `docs/spec/cli.md` §5.18 names the fields. */
function writeTranscript(path: string, { scheme, message, taprootRoot, ...made }: Signed): void {
  const { record } = made
  const text = JSON.stringify(
    {
      schema: 'ckbtc.signing-transcript.v1',
      scheme,
      key_id: made.keyId,
      master_public_key: record.masterPublicKey,
      path: record.path,
      public_key: made.publicKey,
      message,
      taproot_root: taprootRoot ?? null,
      request_id: record.requestId,
      slot: record.slot.toString(),
      presignature_id: record.presignatureId.toString(),
      tape_signature: record.tape,
      nonce: record.nonce,
      transcripts: record.transcripts.map(({ name, id, points }) => ({
        name,
        id: id.toString(),
        commitment: points,
      })),
      shares: record.shares,
      blamed: made.blamed,
      signature: made.signature,
    },
    null,
    2,
  )
  try {
    writePrivate(path, `${text}\n`)
  } catch (error) {
    if (error instanceof HostDisk) throw error
    throw new HostDisk(path, 'it cannot be written', error)
  }
}
