/** Reads scripts in the notation of Bitcoin Core's test vectors (`core_io.h`, ParseScript). */
import { concat, fromHex, utf8 } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { numberPush, pushData } from '../../../../src/core/btc/script.ts'

/** Names from 0x61 on, in order; gaps of the vectors' language do not exist. */
const NAMES =
  `NOP VER IF NOTIF VERIF VERNOTIF ELSE ENDIF VERIFY RETURN TOALTSTACK FROMALTSTACK 2DROP
2DUP 3DUP 2OVER 2ROT 2SWAP IFDUP DEPTH DROP DUP NIP OVER PICK ROLL ROT SWAP TUCK CAT SUBSTR LEFT
RIGHT SIZE INVERT AND OR XOR EQUAL EQUALVERIFY RESERVED1 RESERVED2 1ADD 1SUB 2MUL 2DIV NEGATE ABS
NOT 0NOTEQUAL ADD SUB MUL DIV MOD LSHIFT RSHIFT BOOLAND BOOLOR NUMEQUAL NUMEQUALVERIFY
NUMNOTEQUAL LESSTHAN GREATERTHAN LESSTHANOREQUAL GREATERTHANOREQUAL MIN MAX WITHIN RIPEMD160 SHA1
SHA256 HASH160 HASH256 CODESEPARATOR CHECKSIG CHECKSIGVERIFY CHECKMULTISIG CHECKMULTISIGVERIFY NOP1
CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY NOP4 NOP5 NOP6 NOP7 NOP8 NOP9 NOP10 CHECKSIGADD`.split(
    /\s+/,
  )

const OPCODES = new Map<string, number>([
  ['RESERVED', 0x50],
  ['NOP2', 0xb1],
  ['NOP3', 0xb2],
  // A proposal's name for it, which the published rows carry.
  ['CHECKTEMPLATEVERIFY', 0xb3],
  ...NAMES.map((name, i): [string, number] => [name, 0x61 + i]),
])

export const assemble = (text: string): Uint8Array =>
  concat(
    ...text
      .split(/\s+/)
      .filter((word) => word !== '')
      .map(assembleWord),
  )

function assembleWord(word: string): Uint8Array {
  if (/^-?\d+$/.test(word)) return numberPush(Number(word))
  if (word.startsWith('0x')) return fromHex(word.slice(2))
  if (/^'.*'$/.test(word)) return pushData(utf8(word.slice(1, -1)))
  const opcode = present(OPCODES.get(word.replace(/^OP_/, '')), `${word} is an opcode`)
  return Uint8Array.of(opcode)
}
