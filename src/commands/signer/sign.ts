/** `ckbtc signer sign`. Implements `docs/spec/cli.md` §5.18. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { UsageInvalid } from '../../core/base/errors.ts'
import { openProgress } from '../../terminal/progress.ts'
import { formatSeconds } from '../../terminal/steps.ts'
import { printPairs } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal, requireLocal } from '../local-network.ts'
import { accountOption, requireEcdsa, requireHex } from './arguments.ts'

const COMMAND = 'ckbtc signer sign'

export async function sign({ options }: Invocation, context: Context): Promise<void> {
  requireEcdsa(options, COMMAND)
  requireLocal(context)
  const account = accountOption(options)
  const hash = await hashOf(options.text('hash'), options.text('message'))
  const { terminal, signal } = context
  const control = await controlOf(context)
  const progress = await openProgress(terminal)
  progress.show({ number: 1, label: 'Signing', text: 'the nodes make a signature' })
  const made = await control
    .ask('signer-sign', { hash, account }, { signal })
    .finally(() => progress.stop())
  const { signature, publicKey, nodes, keyId, totalMs } = made
  printLocal(terminal, {
    schema: 'signer-sign',
    data: {
      signature,
      publicKey,
      hash,
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
        ['Hash', hash],
        ['Made by', `nodes ${nodes.join(', ')} in ${formatSeconds(totalMs)}`],
        ['Check', `ckbtc signer verify --hash ${hash} \\`],
        ['', `  --signature ${signature} \\`],
        ['', `  --public-key ${publicKey}`],
      ]),
  })
}

async function hashOf(hash: string | undefined, message: string | undefined): Promise<string> {
  if ((hash === undefined) === (message === undefined))
    throw new UsageInvalid('what is signed is a hash or a message, one of the two', {
      fix: 'give --hash <hex>, or --message <file> to sign its SHA-256',
      command: `${COMMAND} --help`,
    })
  if (message === undefined)
    return requireHex(hash, { option: '--hash', sizes: [32], command: COMMAND })
  const digest = createHash('sha256')
  try {
    const source = message === '-' ? process.stdin : createReadStream(message)
    for await (const chunk of source) digest.update(chunk)
  } catch (error) {
    throw new UsageInvalid(
      `the message cannot be read: ${error instanceof Error ? error.message : error}`,
      { fix: 'name a file, or - for standard input', command: `${COMMAND} --help` },
    )
  }
  return digest.digest('hex')
}
