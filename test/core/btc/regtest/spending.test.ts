/**
 * Goal: the node accepts every standard spend that an independent library signs, and nothing that
 * is off by a bit.
 * Method: coins of each type are mined, spent with bitcoinjs-lib, and offered to mempool and block,
 * whole and broken.
 */
import { describe, expect, test } from 'vitest'
import { concat, fromHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { hash160, sha256 } from '../../../../src/core/base/hash.ts'
import { p2aScript, p2shScript, pushData, witnessScript } from '../../../../src/core/btc/script.ts'
import type { Transaction, TxIn } from '../../../../src/core/btc/transaction.ts'
import { txid } from '../../../../src/core/btc/transaction.ts'
import { blockOn, coinbaseCoin, NOW, nodeWithCoins, SUBSIDY, verdict } from './chains.ts'
import { keyOf, schnorrSignature, secretOf, taprootOutput } from './taproots.ts'
import type { TestWallet } from './wallets.ts'
import { EVERY_WALLET, p2trWallet, p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const FEE = 1_000n
const to = p2wpkhWallet(99)

const withInput = (tx: Transaction, change: (input: TxIn) => TxIn): Transaction => ({
  ...tx,
  inputs: tx.inputs.map((input, i) => (i === 0 ? change(input) : input)),
})

/** One bit of the first signature, in the middle of its second number. */
function flipSignatureBit(tx: Transaction): Transaction {
  const flip = (bytes: Uint8Array, at: number) =>
    bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
  return withInput(tx, (input) => {
    if (input.witness.length === 0) return { ...input, scriptSig: flip(input.scriptSig, 60) }
    const at = input.witness.findIndex(({ length }) => length >= 64)
    return { ...input, witness: input.witness.map((w, i) => (i === at ? flip(w, 60) : w)) }
  })
}

describe.each(EVERY_WALLET)('an output of type $name', (wallet) => {
  const node = nodeWithCoins(wallet, 2)
  const spend = (height: number) =>
    signedSpend([coinbaseCoin(node, height, wallet)], [pay(to, SUBSIDY - FEE)])

  test('is spent by a signature of bitcoinjs-lib, in the mempool and then in a block', () => {
    const fresh = nodeWithCoins(wallet, 1)
    const tx = signedSpend([coinbaseCoin(fresh, 1, wallet)], [pay(to, SUBSIDY - FEE)])
    expect(verdict(fresh.submit(tx, NOW))).toBe('accepted')
    fresh.mine(1, to.script, NOW)
    expect(fresh.transaction(txid(tx))?.confirmations).toBe(1)
  })

  test('is not spent when one bit of the signature is flipped', () => {
    const broken = flipSignatureBit(spend(2))
    expect(verdict(node.submit(broken, NOW))).toMatch(/^mandatory-script-verify-flag-failed \(/)
    const block = blockOn(node, { transactions: [broken], fees: FEE })
    expect(verdict(node.submitBlock(block, NOW))).toMatch(/^mandatory-script-verify-flag-failed \(/)
  })

  test('is not spent when the amount paid is changed after signing', () => {
    const tx = spend(2)
    const broken = { ...tx, outputs: [pay(to, SUBSIDY - FEE - 1n)] }
    expect(verdict(node.submit(broken, NOW))).toMatch(/^mandatory-script-verify-flag-failed \(/)
  })

  test('is not spent by the key of somebody else', () => {
    const other = EVERY_WALLET.find(({ name }) => name !== wallet.name) ?? wallet
    const coin = { ...coinbaseCoin(node, 2, wallet), owner: other }
    const broken = signedSpend([coin], [pay(to, SUBSIDY - FEE)])
    expect(verdict(node.submit(broken, NOW))).not.toBe('accepted')
  })
})

test('inputs of all types are spent together, and an error in the last one is found', () => {
  const node = nodeWithCoins(to, 0)
  const firstHeight = node.tip().height + 1
  for (const wallet of EVERY_WALLET) node.mine(1, wallet.script, NOW)
  node.mine(100, to.script, NOW)
  const coins = EVERY_WALLET.map((wallet, i) => coinbaseCoin(node, firstHeight + i, wallet))
  const total = coins.reduce((sum, { output }) => sum + output.value, 0n)
  const tx = signedSpend(coins, [pay(to, total - 10_000n)])
  const wrong = signedSpend(
    coins.with(-1, { ...present(coins.at(-1), 'there are coins'), owner: p2trWallet(77) }),
    [pay(to, total - 10_000n)],
  )
  expect(verdict(node.submit(wrong, NOW))).toBe(
    'mandatory-script-verify-flag-failed (Invalid Schnorr signature)',
  )
  expect(verdict(node.submit(tx, NOW))).toBe('accepted')
})

const bare = (name: string, script: Uint8Array, proof: Partial<TxIn>): TestWallet => ({
  name,
  script,
  sign: () => proof,
})

const anyScript = Uint8Array.of(0x51)

type Tapscript = {
  /** The whole script, as hex. */
  readonly code?: string
  readonly version?: number
  readonly depth?: number
  /** Size of an item below the signature that the script drops. */
  readonly item?: number
  readonly annex?: boolean
}

/** One key signs, after an item that the script drops; or `code` alone, whatever the stack holds. */
function tapscriptWallet(name: string, options: Tapscript): TestWallet {
  const { code, version = 0xc0, depth = 0, item, annex: hasAnnex = false } = options
  const check = concat(pushData(keyOf(2)), Uint8Array.of(0xac))
  const dropping = item === undefined ? check : concat(Uint8Array.of(0x75), check)
  const leaf = { script: code === undefined ? dropping : fromHex(code), version }
  const siblings = Array.from({ length: depth }, (_, i) => sha256(Uint8Array.of(i)))
  const { script, control } = taprootOutput(1, leaf, siblings)
  const annex = hasAnnex ? Uint8Array.of(0x50, 1) : undefined
  return {
    name,
    script,
    sign: (tx, index, spent) => {
      const signature = schnorrSignature({ tx, index, spent, secret: secretOf(2), annex, leaf })
      const stack = [signature, ...(item === undefined ? [] : [new Uint8Array(item)])]
      return { witness: [...stack, leaf.script, control, ...(annex ? [annex] : [])] }
    },
  }
}
const MEMPOOL_ONLY: readonly TestWallet[] = [
  bare('a bare OP_TRUE', anyScript, {}),
  bare('a bare number comparison', Uint8Array.of(0x52, 0x87), { scriptSig: Uint8Array.of(0x52) }),
]

test.each(MEMPOOL_ONLY)('$name is valid in a block and not standard in the mempool', (wallet) => {
  const node = nodeWithCoins(wallet)
  const tx = signedSpend([coinbaseCoin(node, 1, wallet)], [pay(to, SUBSIDY - FEE)])
  expect(verdict(node.submit(tx, NOW))).toBe('bad-txns-nonstandard-inputs')
  const block = blockOn(node, { transactions: [tx], fees: FEE })
  expect(verdict(node.submitBlock(block, NOW))).toBe('accepted')
})

/** Not zero: a program is also the item that the script leaves on the stack. */
const program = new Uint8Array(32).fill(7)
const nestedProgram = witnessScript(1, program)
const RESERVED_VERSION =
  'non-mandatory-script-verify-flag (Witness version reserved for soft-fork upgrades)'

/** Spends that are right by consensus, and what the mempool says of them. */
const FUTURE: readonly (readonly [TestWallet, string])[] = [
  [
    bare('an unknown witness version', witnessScript(2, program), {}),
    'bad-txns-nonstandard-inputs',
  ],
  [
    bare('a version 1 program that is no key', witnessScript(1, program.subarray(12)), {}),
    'bad-txns-nonstandard-inputs',
  ],
  [bare('pay to anchor', p2aScript(), {}), 'accepted'],
  [
    bare('pay to anchor with a witness', p2aScript(), { witness: [anyScript] }),
    'bad-witness-nonstandard',
  ],
  [
    bare('a nested unknown witness version', p2shScript(hash160(nestedProgram)), {
      scriptSig: pushData(nestedProgram),
      witness: [anyScript],
    }),
    RESERVED_VERSION,
  ],
  [
    bare('a nested anchor', p2shScript(hash160(p2aScript())), { scriptSig: pushData(p2aScript()) }),
    RESERVED_VERSION,
  ],
  [tapscriptWallet('a tapscript', {}), 'accepted'],
  [tapscriptWallet('a tapscript two levels down', { depth: 2 }), 'accepted'],
  [tapscriptWallet('an item of 80 bytes', { item: 80 }), 'accepted'],
  [tapscriptWallet('an item of 81 bytes', { item: 81 }), 'bad-witness-nonstandard'],
  [tapscriptWallet('an annex', { annex: true }), 'bad-witness-nonstandard'],
  [
    tapscriptWallet('an OP_SUCCESS', { code: 'bb' }),
    'non-mandatory-script-verify-flag (OP_SUCCESSx reserved for soft-fork upgrades)',
  ],
  [
    tapscriptWallet('an unknown leaf version', { version: 0xc2, item: 81 }),
    'non-mandatory-script-verify-flag (Taproot version reserved for soft-fork upgrades)',
  ],
]

test.each(FUTURE.map(([wallet, policy]) => ({ name: wallet.name, wallet, policy })))(
  '$name is spent in a block, and in the mempool: $policy',
  ({ wallet, policy }) => {
    const node = nodeWithCoins(wallet)
    const tx = signedSpend([coinbaseCoin(node, 1, wallet)], [pay(to, SUBSIDY - FEE)])
    expect(verdict(node.submit(tx, NOW))).toBe(policy)
    const block = blockOn(node, { transactions: [tx], fees: FEE })
    expect(verdict(node.submitBlock(block, NOW))).toBe('accepted')
  },
)

test.each([
  [
    'another script',
    (w: readonly Uint8Array[]) => w.with(-2, anyScript),
    'Witness program hash mismatch',
  ],
  [
    'half a control block',
    (w: readonly Uint8Array[]) => w.with(-1, program),
    'Invalid Taproot control block size',
  ],
  [
    'the signature of somebody else',
    (w: readonly Uint8Array[]) => w.with(0, new Uint8Array(64).fill(1)),
    'Invalid Schnorr signature',
  ],
])('a tapscript is not spent with %s, in mempool and block', (_, change, text) => {
  const wallet = tapscriptWallet('a tapscript', {})
  const node = nodeWithCoins(wallet)
  const right = signedSpend([coinbaseCoin(node, 1, wallet)], [pay(to, SUBSIDY - FEE)])
  const tx = withInput(right, (input) => ({ ...input, witness: change(input.witness) }))
  const reason = `mandatory-script-verify-flag-failed (${text})`
  expect(verdict(node.submit(tx, NOW))).toBe(reason)
  const block = blockOn(node, { transactions: [tx], fees: FEE })
  expect(verdict(node.submitBlock(block, NOW))).toBe(reason)
})

test('a version 0 program of a wrong length can never be spent', () => {
  const wallet = bare('v0 of 31 bytes', witnessScript(0, sha256(anyScript).subarray(1)), {})
  const node = nodeWithCoins(wallet)
  const tx = signedSpend([coinbaseCoin(node, 1, wallet)], [pay(to, SUBSIDY - FEE)])
  const block = blockOn(node, { transactions: [tx], fees: FEE })
  expect(verdict(node.submitBlock(block, NOW))).toBe(
    'mandatory-script-verify-flag-failed (Witness program has incorrect length)',
  )
})
