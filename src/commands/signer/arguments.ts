/** Options that the signer's commands share. Source: `docs/spec/cli.md` §5.18. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { concatAll, toHex } from '../../core/base/bytes.ts'
import { UsageInvalid } from '../../core/base/errors.ts'
import type { KeyScheme } from '../../core/base/key-scheme.ts'
import { KEY_SCHEMES } from '../../core/base/key-scheme.ts'
import { writeAccount } from '../../host/control/account-shape.ts'
import type { RequestOf } from '../../host/control/protocol.ts'
import { NODES_MAX } from '../../host/control/protocol.ts'
import type { Warning } from '../../terminal/json.ts'
import { parseAccount } from '../../wallet/destinations.ts'
import type { Options } from '../definitions/command.ts'

/** Bytes of a message that the subnet signs as it is; threshold specification §23. */
const MESSAGE_SIZE_MAX = 2 * 1024 * 1024

export const schemeNames: Readonly<Record<KeyScheme, string>> = {
  ecdsa: 'threshold ECDSA on secp256k1',
  bip340: 'threshold Schnorr of BIP340',
  ed25519: 'threshold Ed25519',
}

/** Throws `USAGE_INVALID` for what is no scheme. */
export function schemeOption(options: Options, command: string): KeyScheme {
  const text = options.text('scheme') ?? 'ecdsa'
  const scheme = KEY_SCHEMES.find((known) => known === text)
  if (scheme !== undefined) return scheme
  throw new UsageInvalid(`"${text}" is no scheme`, {
    fix: `give ${KEY_SCHEMES.join(', ')}, or leave --scheme out`,
    command: `${command} --help`,
  })
}

type Hex = {
  readonly option: string
  readonly sizes: readonly number[]
  readonly command: string
}

/** Hexadecimal of one of these lengths. Throws `USAGE_INVALID`. */
export function requireHex(text: string | undefined, { option, sizes, command }: Hex): string {
  const digits = (text ?? '').toLowerCase()
  const isHex = /^(?:[0-9a-f]{2})*$/.test(digits) && sizes.includes(digits.length / 2)
  if (text !== undefined && isHex) return digits
  const found = text === undefined ? `${option} is missing` : `${option} does not take "${text}"`
  throw new UsageInvalid(found, {
    fix: `give ${sizes.join(' or ')} bytes in hexadecimal`,
    command: `${command} --help`,
  })
}

/** Throws `USAGE_INVALID` for a root that is none, and where the scheme has no use for one. */
export function taprootRootOption(
  options: Options,
  scheme: KeyScheme,
  command: string,
): string | undefined {
  const text = options.text('taprootRoot')
  if (text === undefined) return undefined
  if (scheme !== 'bip340')
    throw new UsageInvalid(`--taproot-root goes with --scheme bip340, not with ${scheme}`, {
      fix: 'leave --taproot-root out, or sign with bip340',
      command: `${command} --help`,
    })
  return requireHex(text, { option: '--taproot-root', sizes: [0, 32], command })
}

/**
 * What is signed, in hexadecimal: of ECDSA a hash, else the message itself. Throws `USAGE_INVALID`.
 */
export async function signedOption(
  options: Options,
  scheme: KeyScheme,
  command: string,
): Promise<string> {
  const [hash, message] = [options.text('hash'), options.text('message')]
  if (scheme !== 'ecdsa' && hash !== undefined)
    throw new UsageInvalid(`--hash is for ecdsa; ${scheme} signs a message`, {
      fix: 'give --message <file>',
      command: `${command} --help`,
    })
  if ((hash === undefined) === (message === undefined)) throw oneOfTheTwo(scheme, command)
  if (message === undefined) return requireHex(hash, { option: '--hash', sizes: [32], command })
  const chunks = read(message, command)
  return scheme === 'ecdsa' ? await hashOf(chunks) : toHex(await wholeOf(chunks, command))
}

const oneOfTheTwo = (scheme: KeyScheme, command: string): UsageInvalid =>
  scheme === 'ecdsa'
    ? new UsageInvalid('what is signed is a hash or a message, one of the two', {
        fix: 'give --hash <hex>, or --message <file> to sign its SHA-256',
        command: `${command} --help`,
      })
    : new UsageInvalid('no message to sign is given', {
        fix: 'give --message <file>, or - for standard input',
        command: `${command} --help`,
      })

async function* read(file: string, command: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) yield chunk
  } catch (error) {
    throw new UsageInvalid(
      `the message cannot be read: ${error instanceof Error ? error.message : error}`,
      { fix: 'name a file, or - for standard input', command: `${command} --help` },
    )
  }
}

async function hashOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of chunks) digest.update(chunk)
  return digest.digest('hex')
}

async function wholeOf(chunks: AsyncIterable<Uint8Array>, command: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    parts.push(chunk)
    size += chunk.length
    if (size <= MESSAGE_SIZE_MAX) continue
    throw new UsageInvalid(`the message is longer than ${MESSAGE_SIZE_MAX} bytes`, {
      fix: 'sign a shorter message, or a hash of it as the message',
      command: `${command} --help`,
    })
  }
  return concatAll(parts)
}

/** `1,2,4`: whose shares are combined; undefined when anybody's are. Throws `USAGE_INVALID`. */
export function nodesOption(options: Options): readonly number[] | undefined {
  const text = options.text('nodes')
  if (text === undefined) return undefined
  const ids = text
    .split(',')
    .map((word) => (/^[1-9]\d?$/.test(word) ? Number(word) : NODES_MAX + 1))
  if (ids.every((id) => id <= NODES_MAX) && new Set(ids).size === ids.length) return ids
  throw new UsageInvalid(`--nodes does not take "${text}"`, {
    fix: 'give numbers of nodes with commas between them: --nodes 1,2,4',
    command: 'ckbtc subnet nodes',
  })
}

/** Throws `ACCOUNT_INVALID` or `DEST_IS_BITCOIN`. */
export function accountOption(options: Options): RequestOf<'signer-sign'>['account'] {
  const text = options.text('account')
  if (text === undefined) return undefined
  return writeAccount(parseAccount(text, { isLocal: true }))
}

/** While nodes are down, and the keys are gone with one or two more (threshold §11.2 rule 5). */
export function marginWarnings({
  nodes,
  nodesUp,
  margin,
}: {
  readonly nodes: number
  readonly nodesUp: readonly number[]
  readonly margin: number
}): readonly Warning[] {
  if (nodesUp.length === nodes || margin > 1) return []
  const message =
    `${nodesUp.length} of ${nodes} nodes are up: if more than ${margin} of them lose their disks, ` +
    'the keys are lost, and the coins with them'
  return [{ code: 'KEYS_AT_RISK', message }]
}
