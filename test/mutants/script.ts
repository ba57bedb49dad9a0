/** Mutants of the script interpreter, its signature hashes, and the policy of the mempool. */
import type { Mutant } from './mutant.ts'

const tapscript = 'core/btc/regtest/tapscript.test.ts'
const taprootSpends = 'core/btc/regtest/taproot-spends.test.ts'
const taproot = 'core/btc/taproot.test.ts'
const scriptRows = 'core/btc/regtest/script-vectors.test.ts'
const txRows = 'core/btc/regtest/transaction-vectors.test.ts'
const spending = 'core/btc/regtest/spending.test.ts'
const conditions = 'core/btc/regtest/conditions.test.ts'
const policy = 'core/btc/regtest/policy.test.ts'
const sigops = 'core/btc/regtest/sigops.test.ts'
const encoding = 'core/btc/regtest/signature-encoding.test.ts'
const checker = 'core/btc/regtest/spend-checker.test.ts'
const validation = 'core/btc/regtest/validation.test.ts'

const at = (file: string): string => `btc/regtest/${file}.ts`

export const scriptMutants: readonly Mutant[] = [
  {
    name: 'operations of tapscript are limited',
    file: at('interpreter'),
    from: "opcode > op.sixteen && version !== 'tapscript'",
    to: 'opcode > op.sixteen',
    tests: [`${tapscript}#limits`],
  },
  {
    name: 'the size of a tapscript is limited',
    file: at('interpreter'),
    from: "const isBounded = context.version !== 'tapscript'",
    to: 'const isBounded = true',
    tests: [`${tapscript}#limits`],
  },
  {
    name: 'IF of tapscript takes any item',
    file: at('interpreter'),
    from: "if (version === 'tapscript' && !minimal)",
    to: 'if (false)',
    tests: [`${tapscript}#branches`],
  },
  {
    name: 'the position of CODESEPARATOR in bytes',
    file: at('interpreter'),
    from: 'machine.codeSeparator = position',
    to: 'machine.codeSeparator = next - 1',
    tests: [`${tapscript}#CODESEPARATOR`],
  },
  {
    name: 'the alternative stack is not counted',
    file: at('interpreter'),
    from: 'stack.length + machine.alternative.length > STACK_ITEMS_MAX',
    to: 'stack.length > STACK_ITEMS_MAX',
    tests: [`${tapscript}#limits`, scriptRows],
  },
  {
    name: 'an IF in a dead branch becomes the outermost one',
    file: at('conditions'),
    from: 'this.#firstFalse ??= this.#depth',
    to: 'this.#firstFalse = this.#depth',
    tests: [conditions, scriptRows],
  },
  {
    name: 'a signature that takes the last weight is refused',
    file: at('tapscript-operations'),
    from: 'leaf.weightLeft < 0',
    to: 'leaf.weightLeft <= 0',
    tests: [`${tapscript}#weight`],
  },
  {
    name: 'weight is taken from known keys only',
    file: at('tapscript-operations'),
    from: 'if (signed) {',
    to: 'if (signed && publicKey.length === KEY_SIZE) {',
    tests: [`${tapscript}#weight`],
  },
  {
    name: 'an empty key is one of the future',
    file: at('tapscript-operations'),
    from: "if (publicKey.length === 0) return 'PUBKEYTYPE'",
    to: '',
    tests: [`${tapscript}#keys`],
  },
  {
    name: 'an unknown key signs with nothing',
    file: at('tapscript-operations'),
    from: '      : signed\n',
    to: '      : true\n',
    tests: [`${tapscript}#keys`],
  },
  {
    name: 'CHECKSIGADD reads its number after the signature',
    file: at('tapscript-operations'),
    from: "  if (count === undefined) return 'UNKNOWN_ERROR'\n",
    to: '',
    tests: [`${tapscript}#signature opcodes`],
  },
  {
    name: 'the annex pays for no signature',
    file: at('verify-taproot'),
    from: 'witnessSize(witness) + WEIGHT_OFFSET',
    to: 'witnessSize(items) + WEIGHT_OFFSET',
    tests: [`${tapscript}#weight`],
  },
  {
    name: 'a signature may be an annex',
    file: at('verify-taproot'),
    from: 'witness.length > 1 && last?.[0] === ANNEX_TAG',
    to: 'last?.[0] === ANNEX_TAG',
    tests: [`${taprootSpends}#key path`],
  },
  {
    name: '0xff is an OP_SUCCESS',
    file: at('verify-taproot'),
    from: '[0xbb, 0xfe]',
    to: '[0xbb, 0xff]',
    tests: [`${tapscript}#OP_SUCCESS`],
  },
  {
    name: 'a tapscript runs before all of it is read',
    file: at('verify-taproot'),
    from: "if (read === undefined) return 'BAD_OPCODE'",
    to: 'if (read === undefined) return false',
    tests: [`${tapscript}#OP_SUCCESS`],
  },
  {
    name: 'a tapscript may start with any number of items',
    file: at('verify-taproot'),
    from: "if (stack.length > STACK_ITEMS_MAX) return 'STACK_SIZE'",
    to: '',
    tests: [`${tapscript}#limits`],
  },
  {
    name: 'every leaf version is tapscript',
    file: at('verify-taproot'),
    from: 'control.leafVersion !== TAPSCRIPT_LEAF',
    to: 'control.leafVersion < 0',
    tests: [`${taprootSpends}#script path`],
  },
  {
    name: 'the parity of the output key is not compared',
    file: 'btc/taproot.ts',
    from: 'point[0] === 2 + parity && ',
    to: '',
    tests: [`${taproot}#parity`, `${taprootSpends}#script path`],
  },
  {
    name: 'branches are hashed as they come',
    file: 'btc/taproot.ts',
    from: 'toHex(a) < toHex(b)',
    to: 'true',
    tests: [`${taproot}#branch`, `${taprootSpends}#script path`],
  },
  {
    name: 'a leaf may lie 129 levels deep',
    file: 'btc/taproot.ts',
    from: 'const DEPTH_MAX = 128',
    to: 'const DEPTH_MAX = 129',
    tests: [`${taproot}#levels`, `${taprootSpends}#script path`],
  },
  {
    name: 'taproot inside P2SH',
    file: at('verify-script'),
    from: "program.length === TAPROOT_SIZE && place === 'native'",
    to: 'program.length === TAPROOT_SIZE',
    tests: [`${taprootSpends}#inside P2SH`],
  },
  {
    name: 'policy refuses anchors',
    file: at('verify-script'),
    from: ' && !isAnchor',
    to: '',
    tests: [`${spending}#pay to anchor`],
  },
  {
    name: 'a witness script leaves what it likes',
    file: at('witness-script'),
    from: "return stack.length === 1 ? mustBeTrue(stack) : 'CLEANSTACK'",
    to: 'return mustBeTrue(stack)',
    tests: [`${tapscript}#branches`, scriptRows],
  },
  {
    name: 'items of a witness of any size',
    file: at('witness-script'),
    from: 'length > ELEMENT_BYTES_MAX',
    to: 'length > 2 * ELEMENT_BYTES_MAX',
    tests: [`${tapscript}#limits`, txRows],
  },
  {
    name: 'signatures stay in the code that they sign',
    file: at('signature-operations'),
    from: "if (version !== 'base') return code",
    to: 'return code',
    tests: [txRows],
  },
  {
    name: 'a failed CHECKMULTISIG may hold signatures',
    file: at('signature-operations'),
    from: "machine.flags.has('NULLFAIL') && signed",
    to: 'false',
    tests: [scriptRows],
  },
  {
    name: 'only strict DER is read',
    file: at('signature-encoding'),
    from: 'const compact = compactOfLaxDer(signature.subarray(0, -1))',
    to: 'const der = signature.subarray(0, -1)\n  const compact = isStrictDer(der) ? compactOfLaxDer(der) : undefined',
    tests: [scriptRows],
  },
  {
    name: 'r at the order counts',
    file: at('signature-encoding'),
    from: 'fromBigEndian(r) < ORDER && ',
    to: '',
    tests: [encoding],
  },
  {
    name: 'the default type of a Schnorr signature may be written out',
    file: at('spend-checker'),
    from: "if (length > SCHNORR_SIZE && hashType === 0) return 'SCHNORR_SIG_HASHTYPE'",
    to: '',
    tests: [`${taprootSpends}#key path`, `${tapscript}#signature opcodes`],
  },
  {
    name: 'a digest is remembered whatever the code',
    file: at('spend-checker'),
    from: 'digests.clear()',
    to: 'digests.size',
    tests: [checker, txRows],
  },
  {
    name: 'the hash of taproot does not say that there is an annex',
    file: 'btc/sighash.ts',
    from: '(annexHash === undefined ? 0 : 1)',
    to: '0',
    tests: [`${taprootSpends}#key path`],
  },
  {
    name: 'SINGLE without an output signs no output',
    file: 'btc/sighash.ts',
    from: '(single && ownOutput === undefined)',
    to: 'false',
    tests: [`${taprootSpends}#key path`],
  },
  {
    name: 'a legacy SINGLE without an output is hashed',
    file: 'btc/sighash.ts',
    from: 'if (isSingle(hashType) && index >= tx.outputs.length) return HASH_ONE',
    to: '',
    tests: [txRows],
  },
  {
    name: 'items of 81 bytes are standard',
    file: at('policy'),
    from: 'const WITNESS_ITEM_MAX = 80',
    to: 'const WITNESS_ITEM_MAX = 81',
    tests: [policy, `${spending}#81 bytes`],
  },
  {
    name: 'an annex is standard',
    file: at('policy'),
    from: 'first === undefined || first === ANNEX_TAG',
    to: 'first === undefined',
    tests: [policy, `${spending}#annex`],
  },
  {
    name: 'a witness may stand where none is due',
    file: at('policy'),
    from: 'return own !== undefined && witnessProgram(own) !== undefined',
    to: 'return own !== undefined',
    tests: [policy],
  },
  {
    name: 'a witness of any version is counted',
    file: at('sigops'),
    from: 'if (program?.version !== 0) return 0',
    to: 'if (program === undefined) return 0',
    tests: [sigops],
  },
  {
    name: 'a block of 80,001',
    file: at('sigops'),
    from: 'BLOCK_SIGOPS_COST_MAX = 80_000',
    to: 'BLOCK_SIGOPS_COST_MAX = 80_004',
    tests: [`${validation}#sigops`],
  },
]
