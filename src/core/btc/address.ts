/** Addresses: output scripts as text. Source: `bitcoin.md` §11.2 (ADR-1 to ADR-6); BIP350. */
import { concat } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { BASE58_TEXT_MAX, decodeBase58Check, encodeBase58Check } from './base58.ts'
import type { Bech32Text, Bech32Variant } from './bech32.ts'
import {
  checksumVariant,
  dataOf,
  encodeBech32,
  fromFiveBit,
  locateErrors,
  parseBech32,
  toFiveBit,
} from './bech32.ts'
import type { Network, NetworkName } from './network.ts'
import { networks } from './network.ts'
import type { ScriptKind } from './script.ts'
import { classifyScript, p2pkhScript, p2shScript, witnessScript } from './script.ts'

export type ParsedAddress =
  | {
      readonly type: 'address'
      readonly script: Uint8Array
      readonly kind: ScriptKind
      /** The form to show: witness addresses in lower case. */
      readonly text: string
    }
  | {
      readonly type: 'refused'
      readonly reason: 'malformed'
      readonly detail: string
      /** Characters, counted from 1, that are probably wrong: one or two, or none known. */
      readonly positions: readonly number[]
    }
  | {
      readonly type: 'refused'
      readonly reason: 'wrong-network'
      readonly detail: string
      /** Networks that the address is good for. */
      readonly belongsTo: readonly NetworkName[]
    }

const BASE58_PAYLOAD_SIZE = 21
const PROGRAM_MIN = 2
const PROGRAM_MAX = 40
const VERSION_MAX = 16

/** The address of an output script; undefined for the kinds that have none. */
export function addressOfScript(script: Uint8Array, network: Network): string | undefined {
  const kind = classifyScript(script)
  switch (kind.type) {
    case 'p2pkh':
      return encodeBase58Check(concat(Uint8Array.of(network.base58.p2pkh), kind.hash))
    case 'p2sh':
      return encodeBase58Check(concat(Uint8Array.of(network.base58.p2sh), kind.hash))
    case 'p2wpkh':
    case 'p2wsh':
      return witnessAddress(0, kind.hash, network)
    case 'p2tr':
      return witnessAddress(1, kind.key, network)
    case 'p2a':
      return witnessAddress(1, script.subarray(2), network)
    case 'witnessUnknown':
      return witnessAddress(kind.version, kind.program, network)
    case 'p2pk':
    case 'multisig':
    case 'opReturn':
    case 'nonstandard':
      return undefined
  }
}

/** Bech32 for version 0 only, bech32m from 1 (ADR-2). */
const variantOfVersion = (version: number): Bech32Variant => (version === 0 ? 'bech32' : 'bech32m')

function witnessAddress(version: number, program: Uint8Array, network: Network): string {
  const data = [version, ...toFiveBit(program)]
  return encodeBech32(network.bech32Prefix, data, variantOfVersion(version))
}

/** A refusal says what is wrong, or which network the address is good for. Never throws. */
export function parseAddress(text: string, network: Network): ParsedAddress {
  const prefix = text.slice(0, text.lastIndexOf('1')).toLowerCase()
  const isWitness = Object.values(networks).some((each) => each.bech32Prefix === prefix)
  return isWitness || prefix === network.bech32Prefix
    ? parseWitnessAddress(text, network)
    : parseBase58Address(text, network)
}

const malformed = (detail: string, positions: readonly number[] = []): ParsedAddress => ({
  type: 'refused',
  reason: 'malformed',
  detail,
  positions,
})

function parseBase58Address(text: string, network: Network): ParsedAddress {
  if (text.length > BASE58_TEXT_MAX) return malformed(`${text.length} characters`)
  const payload = attempt(() => decodeBase58Check(text))
  if (payload instanceof BadEncoding) return malformed(payload.message)
  if (payload.length !== BASE58_PAYLOAD_SIZE)
    return malformed(`${payload.length} bytes where ${BASE58_PAYLOAD_SIZE} are due`)
  const [version] = payload
  const hash = payload.subarray(1)
  const script = ({ base58 }: Network): Uint8Array | undefined => {
    if (version === base58.p2pkh) return p2pkhScript(hash)
    return version === base58.p2sh ? p2shScript(hash) : undefined
  }
  return settle({ text, network, scriptOn: script, foreign: `version byte ${version}` })
}

/** Accepts on the network asked for, or names those the address is good for (ADR-3). */
function settle({
  text,
  network,
  scriptOn,
  foreign,
}: {
  readonly text: string
  readonly network: Network
  readonly scriptOn: (network: Network) => Uint8Array | undefined
  readonly foreign: string
}): ParsedAddress {
  const script = scriptOn(network)
  if (script !== undefined) return { type: 'address', script, kind: classifyScript(script), text }
  const belongsTo = Object.values(networks)
    .filter((each) => scriptOn(each) !== undefined)
    .map(({ name }) => name)
  if (belongsTo.length === 0) return malformed(`${foreign} belongs to no network`)
  const detail = `an address of ${belongsTo.join(', ')}, not of ${network.name}`
  return { type: 'refused', reason: 'wrong-network', detail, belongsTo }
}

function parseWitnessAddress(text: string, network: Network): ParsedAddress {
  const parsed = attempt(() => parseBech32(text))
  if (parsed instanceof BadEncoding) return malformed(parsed.message)
  const variant = checksumVariant(parsed)
  if (variant === undefined) return malformed('wrong checksum', likelyWrong(parsed))
  const script = attempt(() => scriptOfData(dataOf(parsed), variant))
  if (script instanceof BadEncoding) return malformed(script.message)
  return settle({
    text: text.toLowerCase(),
    network,
    scriptOn: ({ bech32Prefix }) => (bech32Prefix === parsed.prefix ? script : undefined),
    foreign: `prefix ${parsed.prefix}`,
  })
}

function scriptOfData(data: readonly number[], variant: Bech32Variant): Uint8Array {
  const [version] = data
  if (version === undefined) throw new BadEncoding('no witness version')
  if (version > VERSION_MAX) throw new BadEncoding(`witness version ${version}`)
  if (variant !== variantOfVersion(version))
    throw new BadEncoding(`witness version ${version} with a ${variant} checksum`)
  const program = fromFiveBit(data.slice(1))
  if (program.length < PROGRAM_MIN || program.length > PROGRAM_MAX)
    throw new BadEncoding(`a witness program of ${program.length} bytes`)
  if (version === 0 && program.length !== 20 && program.length !== 32)
    throw new BadEncoding(`a version 0 witness program of ${program.length} bytes`)
  return witnessScript(version, program)
}

/** Positions whose correction, the only one there is, would make a valid address (ADR-6). */
function likelyWrong(text: Bech32Text): readonly number[] {
  const corrections = (['bech32', 'bech32m'] as const).flatMap((variant) => {
    const errors = locateErrors(text, variant)
    if (errors.length === 0) return []
    const values = text.values.map((value, i) =>
      errors.reduce((sum, error) => (error.index === i ? sum ^ error.difference : sum), value),
    )
    const valid = attempt(() => scriptOfData(dataOf({ ...text, values }), variant))
    return valid instanceof BadEncoding ? [] : [errors]
  })
  const [only, second] = corrections
  if (only === undefined || second !== undefined) return []
  return only.map(({ index }) => text.prefix.length + 2 + index)
}
