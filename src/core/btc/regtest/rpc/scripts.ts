/** Scripts as Bitcoin Core shows them: assembly, kind, address, descriptor. Source: RN-21; BIP380. */
import { toHex } from '../../../base/bytes.ts'
import { addressOfScript } from '../../address.ts'
import { regtest } from '../../network.ts'
import type { ScriptKind } from '../../script.ts'
import { classifyScript, isUnspendable, op, readOp } from '../../script.ts'
import { readScriptNumber } from '../script-number.ts'
import { isStrictSignature } from '../signature-encoding.ts'
import type { Json } from './json.ts'

/** From 0x61 on. */
const NAMES =
  `NOP VER IF NOTIF VERIF VERNOTIF ELSE ENDIF VERIFY RETURN TOALTSTACK FROMALTSTACK 2DROP 2DUP 3DUP
2OVER 2ROT 2SWAP IFDUP DEPTH DROP DUP NIP OVER PICK ROLL ROT SWAP TUCK CAT SUBSTR LEFT RIGHT SIZE
INVERT AND OR XOR EQUAL EQUALVERIFY RESERVED1 RESERVED2 1ADD 1SUB 2MUL 2DIV NEGATE ABS NOT 0NOTEQUAL
ADD SUB MUL DIV MOD LSHIFT RSHIFT BOOLAND BOOLOR NUMEQUAL NUMEQUALVERIFY NUMNOTEQUAL LESSTHAN
GREATERTHAN LESSTHANOREQUAL GREATERTHANOREQUAL MIN MAX WITHIN RIPEMD160 SHA1 SHA256 HASH160 HASH256
CODESEPARATOR CHECKSIG CHECKSIGVERIFY CHECKMULTISIG CHECKMULTISIGVERIFY NOP1 CHECKLOCKTIMEVERIFY
CHECKSEQUENCEVERIFY NOP4 NOP5 NOP6 NOP7 NOP8 NOP9 NOP10 CHECKSIGADD`.split(/\s+/)
const RESERVED = 0x50
const INVALID = 0xff
/** Pushes of so many bytes are shown as numbers. */
const NUMBER_BYTES_MAX = 4
const AS_SHOWN = { minimal: false, bytesMax: NUMBER_BYTES_MAX }

const HASH_TYPES: Readonly<Record<number, string>> = {
  1: 'ALL',
  2: 'NONE',
  3: 'SINGLE',
  129: 'ALL|ANYONECANPAY',
  130: 'NONE|ANYONECANPAY',
  131: 'SINGLE|ANYONECANPAY',
}

/** `isSignature`: of an input, where signatures are shown with the name of their kind. */
export function assembly(script: Uint8Array, { isSignature = false } = {}): string {
  const words: string[] = []
  for (let at = 0; at < script.length; ) {
    const read = readOp(script, at)
    if (read === undefined) return [...words, '[error]'].join(' ')
    at = read.next
    words.push(wordOf(read.op, isSignature && !isUnspendable(script)))
  }
  return words.join(' ')
}

function wordOf(
  { opcode, data }: { readonly opcode: number; readonly data?: Uint8Array },
  isSignature: boolean,
): string {
  if (data === undefined) {
    if (opcode === op.negate1) return '-1'
    if (opcode >= op.one && opcode <= op.sixteen) return `${opcode - op.one + 1}`
    if (opcode === RESERVED) return 'OP_RESERVED'
    if (opcode === INVALID) return 'OP_INVALIDOPCODE'
    const name = NAMES[opcode - 0x61]
    return name === undefined ? 'OP_UNKNOWN' : `OP_${name}`
  }
  if (data.length <= NUMBER_BYTES_MAX) return `${readScriptNumber(data, AS_SHOWN) ?? 0}`
  if (!isSignature || !isStrictSignature(data)) return toHex(data)
  const name = HASH_TYPES[data.at(-1) ?? 0]
  return name === undefined ? toHex(data) : `${toHex(data.subarray(0, -1))}[${name}]`
}

const TYPES: Readonly<Record<ScriptKind['type'], string>> = {
  p2pk: 'pubkey',
  p2pkh: 'pubkeyhash',
  p2sh: 'scripthash',
  p2wpkh: 'witness_v0_keyhash',
  p2wsh: 'witness_v0_scripthash',
  p2tr: 'witness_v1_taproot',
  p2a: 'anchor',
  witnessUnknown: 'witness_unknown',
  multisig: 'multisig',
  opReturn: 'nulldata',
  nonstandard: 'nonstandard',
}

export function scriptView(script: Uint8Array): Json {
  const kind = classifyScript(script)
  return {
    asm: assembly(script),
    desc: descriptorOf(script),
    hex: toHex(script),
    address: addressOfScript(script, regtest),
    type: TYPES[kind.type],
  }
}

/** What the script alone tells: keys behind hashes are not known. */
export function descriptorOf(script: Uint8Array): string {
  const kind = classifyScript(script)
  const address = addressOfScript(script, regtest)
  const body = (): string => {
    if (kind.type === 'p2pk') return `pk(${toHex(kind.key)})`
    if (kind.type === 'p2tr') return `rawtr(${toHex(kind.key)})`
    if (kind.type === 'multisig')
      return `multi(${[kind.required, ...kind.keys.map((key) => toHex(key))].join(',')})`
    return address === undefined ? `raw(${toHex(script)})` : `addr(${address})`
  }
  const text = body()
  return `${text}#${descriptorChecksum(text)}`
}

const CHARACTERS =
  '0123456789()[],\'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#"\\ '
const CHECKSUM_CHARACTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
/** Halves of 20 bits: numbers of 32 bits are many times faster than those of any length. */
const GENERATOR = [
  [0xf5dee, 0x51989],
  [0xa9fdc, 0xa3312],
  [0x1bab1, 0x0e32d],
  [0x3706b, 0x1677a],
  [0x644d6, 0x26ffd],
] as const

/** BIP380. */
export function descriptorChecksum(text: string): string {
  let [high, low] = [0, 1]
  const add = (value: number): void => {
    const top = high >>> 15
    high = ((high & 0x7fff) << 5) | (low >>> 15)
    low = ((low & 0x7fff) << 5) ^ value
    for (const [i, [above, below]] of GENERATOR.entries()) {
      if (((top >>> i) & 1) === 0) continue
      high ^= above
      low ^= below
    }
  }
  let group = 0
  let count = 0
  for (const character of text) {
    const place = CHARACTERS.indexOf(character)
    add(place & 31)
    group = group * 3 + (place >> 5)
    if (++count < 3) continue
    add(group)
    group = 0
    count = 0
  }
  if (count > 0) add(group)
  for (let i = 0; i < 8; i++) add(0)
  low ^= 1
  return [high, low]
    .flatMap((half) => [15, 10, 5, 0].map((shift) => (half >>> shift) & 31))
    .map((value) => CHECKSUM_CHARACTERS.charAt(value))
    .join('')
}
