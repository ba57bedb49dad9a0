/**
 * The file of `signer sign --transcript`: all that is public of one signature, so that somebody else
 * can compute each step again. Implements `docs/spec/cli.md` §5.18; `docs/transcript.md` says what
 * stands in it.
 */
import { accessSync, constants, lstatSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Problem, UsageInvalid } from '../../core/base/errors.ts'
import type { SigningTranscript } from '../../host/control/signing-transcript.ts'
import { toWire } from '../../terminal/json.ts'
import { systemCode, writePrivate } from '../../wallet/private-files.ts'
import { LOCAL } from '../local-network.ts'

/** A removed or changed field makes a new number. */
const SCHEMA = 'ckbtc.signing-transcript.v1'

/** Before anything is signed. Throws `USAGE_INVALID`. */
export function requireFree(file: string): void {
  // A link that leads nowhere is there, too.
  if (isThere(() => lstatSync(file))) throw taken(file)
  const folder = dirname(resolve(file))
  if (!isThere(() => accessSync(`${folder}/.`)))
    throw unfit(`there is no folder ${folder} for the transcript`, 'make it')
  if (!isThere(() => accessSync(folder, constants.W_OK)))
    throw unfit(`nothing can be written to the folder ${folder}`, 'allow it')
}

function isThere(look: () => unknown): boolean {
  try {
    look()
    return true
  } catch {
    return false
  }
}

const unfit = (found: string, remedy: string): UsageInvalid =>
  new UsageInvalid(found, {
    fix: `${remedy}, or name a file in another one`,
    command: 'ckbtc signer sign --help',
  })

const taken = (file: string): UsageInvalid =>
  new UsageInvalid(`${file} exists already, and no transcript replaces a file`, {
    fix: 'name a new file with --transcript',
    command: 'ckbtc signer sign --help',
  })

type Content = {
  readonly transcript: SigningTranscript
  /** What was signed, in hexadecimal; of ecdsa a hash. */
  readonly message: string
  readonly version: string
}

export function transcriptText({ transcript, message, version }: Content): string {
  const { request, ...rest } = transcript
  const whole = {
    schema: SCHEMA,
    ckbtc: version,
    network: LOCAL,
    request: { ...request, message },
    ...rest,
  }
  return `${JSON.stringify(toWire(whole), undefined, 2)}\n`
}

/** The whole file or none, and never in the place of another. */
export function writeTranscript(file: string, text: string): void {
  try {
    writePrivate(file, text, { exclusive: true })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    throw taken(file)
  }
}

/** The signature is good all the same; a new one may have its transcript. */
export const notTold = (signature: string): Problem =>
  new Problem('SUBNET_SIGNING_STALLED', 'the node that combined the signature has not told how', {
    fix: 'run the command again',
    details: { signature },
  })
