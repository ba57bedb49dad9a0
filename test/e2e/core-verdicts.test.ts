/**
 * Goal: the regtest node says of blocks what Bitcoin Core says: takes what Core takes, refuses what
 * Core refuses, in Core's words, and ends on the same tip.
 * Method: every block that ours judged is judged again by Core's own library, from the package
 * `py-bitcoinkernel`; the environment variable BITCOINKERNEL names a Python that has it. Skipped
 * otherwise. RN-1, RN-5, RN-26.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { concat, fromHex, toDisplayHex, toHex, utf8 } from '../../src/core/base/bytes.ts'
import { attempt, BadEncoding, present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { Block } from '../../src/core/btc/block.ts'
import { encodeBlock } from '../../src/core/btc/block.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import { numberPush, p2wshScript, pushData } from '../../src/core/btc/script.ts'
import type { Transaction } from '../../src/core/btc/transaction.ts'
import {
  decodeTransaction,
  encodeTransaction,
  transactionFromParts,
  txid,
} from '../../src/core/btc/transaction.ts'
import { blockOn, coinbaseCoin, NOW } from '../core/btc/regtest/chains.ts'
import { taprootOutput } from '../core/btc/regtest/taproots.ts'
import {
  coinOf,
  EVERY_WALLET,
  p2wpkhWallet,
  pay,
  signedSpend,
} from '../core/btc/regtest/wallets.ts'
import { invalidBlocks } from '../interop/invalid-blocks.ts'

const { BITCOINKERNEL, SEED = '1', CASES = '400' } = process.env
const REASON = 'BITCOINKERNEL names no Python that has py-bitcoinkernel'
const script = fileURLToPath(new URL('../interop/kernel.py', import.meta.url))
const MUTATIONS = Number(CASES)
const seeded = (label: string) =>
  Seed.fromBytes(sha256(utf8(SEED)))
    .derive(label)
    .generator()

const owner = p2wpkhWallet(1)
const elsewhere = p2wpkhWallet(2)

type Judged = {
  readonly what: string
  readonly block: Block
  readonly reason: string
  readonly tip: string
}

/** A node that writes down what it was shown, and what it said. */
class Witness {
  readonly node = new RegtestNode()
  readonly judged: Judged[] = []
  #coin = 0

  constructor() {
    this.node.subscribe((event) => {
      if (event.type !== 'newTip') return
      const block = present(this.node.blockByHash(event.hash), 'a new block')
      this.#note('mined', block, 'accepted')
    })
  }

  #note(what: string, block: Block, reason: string): void {
    this.judged.push({ what, block, reason, tip: toDisplayHex(this.node.tip().hash) })
  }

  mine(count: number): void {
    for (let i = 0; i < count; i++) this.node.mine(1, owner.script, NOW)
  }

  show(what: string, block: Block): void {
    const before = this.judged.length
    const reply = this.node.submitBlock(block, NOW)
    this.judged.length = before // It counts once, with its name.
    this.#note(what, block, reply.type === 'refused' ? reply.reason : 'accepted')
  }

  spend(): Transaction {
    this.#coin += 1
    return signedSpend([coinbaseCoin(this.node, this.#coin, owner)], [pay(elsewhere, 1_000_000n)])
  }
}

type CoreSays = {
  readonly hash: string
  readonly verdict: string | null
  readonly words: readonly string[]
}

function askCore(judged: readonly Judged[]): readonly CoreSays[] {
  const input = judged.map(({ block }) => `${toHex(encodeBlock(block))}\n`).join('')
  const { stdout, stderr } = spawnSync(BITCOINKERNEL ?? '', [script], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const lines = stdout.trim().split('\n')
  expect(lines.length, stderr).toBe(judged.length)
  return lines.map((line) => JSON.parse(line))
}

/** Names of Core 28, which ours are, and what newer releases say. */
const RENAMED: readonly (readonly [string, string])[] = [
  ['mandatory-script-verify-flag-failed', 'block-script-verify-flag-failed'],
  ['(unknown error)', '(Script number overflowed or is non-minimally encoded)'],
  ['(Public key is neither compressed or uncompressed)', '(Empty public key in tapscript)'],
  ['(Invalid OP_IF construction)', '(Operation not valid with the current stack size)'],
]

/** The reason of a refusal from Core's log, and of a script what is wrong with it. */
function reasonOf({ verdict, words }: CoreSays): string {
  if (verdict === null) return 'accepted'
  const text = words.join('\n')
  const shape = /(?:state=|validation error: |FAILED \(|failed, )([a-zA-Z][\w-]+)/
  const reason = shape.exec(text)?.[1] ?? verdict
  return `${reason}${/block-script-verify-flag-failed( \(.*?\)), input /.exec(text)?.[1] ?? ''}`
}

function isSame(ours: string, theirs: string): boolean {
  const [word = ours] = /^[\w-]+/.exec(ours) ?? []
  if (!word.startsWith('mandatory-script')) return word === theirs
  const renamed = [ours]
  for (const [old, now] of RENAMED) renamed.push(...renamed.map((name) => name.replace(old, now)))
  return renamed.includes(theirs)
}

function compare(judged: readonly Judged[]): void {
  const core = askCore(judged)
  const differences = judged.flatMap(({ what, reason, tip }, i) => {
    const said = present(core[i], 'an answer for every block')
    const theirs = reasonOf(said)
    const agree = isSame(reason, theirs) && tip === said.hash
    return agree ? [] : [`${what}: ${reason}; Core: ${theirs}`]
  })
  expect(differences).toEqual([])
}

const withCore = (title: string, act: () => void): void => {
  test(title, (context) => {
    context.skip(BITCOINKERNEL === undefined, REASON)
    act()
  })
}

/** A chain with coins of every kind, and the coins. */
function grown() {
  const witness = new Witness()
  witness.mine(130)
  const value = 10_000_000n
  const coin = coinbaseCoin(witness.node, 20, owner)
  const fan = signedSpend(
    [coin],
    [...EVERY_WALLET, ...EVERY_WALLET].map((wallet) => pay(wallet, value)),
  )
  witness.show('a payment to every kind of output', blockOn(witness.node, { transactions: [fan] }))
  const coins = [...EVERY_WALLET, ...EVERY_WALLET].map((wallet, vout) =>
    coinOf(fan, { id: txid(fan), vout, owner: wallet }),
  )
  return { witness, coins, value }
}

withCore('a chain with spends of every kind and reorganisations is Core’s chain', () => {
  const { witness, coins, value } = grown()
  const spend = signedSpend(coins.slice(0, 6), [pay(elsewhere, 6n * value)])
  witness.show('spends of every kind', blockOn(witness.node, { transactions: [spend] }))
  for (const depth of [1, 6, 20])
    witness.node.reorganise(depth, {
      dropTransactions: true,
      payToScript: elsewhere.script,
      nowSeconds: NOW,
    })
  witness.mine(3)
  // A reorganisation is told when it is over: until then Core is behind.
  const settled = witness.judged.map((one, i) => ({
    ...one,
    isLast: witness.judged[i + 1]?.tip !== one.tip,
  }))
  const core = askCore(settled)
  for (const [i, { what, tip, isLast }] of settled.entries()) {
    expect(reasonOf(present(core[i], 'an answer')), what).toBe('accepted')
    if (isLast) expect(core[i]?.hash).toBe(tip)
  }
})

withCore('blocks that break one rule are refused in Core’s words', () => {
  const witness = new Witness()
  witness.mine(320)
  for (const [what, block] of invalidBlocks(witness.node, {
    spend: () => witness.spend(),
    hasHeights: true,
  }))
    witness.show(what, block)
  witness.mine(1)
  compare(witness.judged)
})

withCore(`of ${MUTATIONS} blocks with altered transactions Core says the same`, () => {
  const { witness, coins, value } = grown()
  const random = seeded('altered transactions')
  const below = (bound: number): number => (random.words(1)[0] ?? 0) % bound
  const oneOf = <T>(list: readonly T[]): T => present(list[below(list.length)], 'a list of choices')
  const born = witness.node.tip().height
  const signed = (): Transaction => {
    const { height, header } = witness.node.tip()
    const depth = height + 1 - born
    return signedSpend(
      [oneOf(coins)],
      [pay(elsewhere, oneOf([0n, value - 1n, value, value + 1n]))],
      {
        version: oneOf([1, 2, 2, 2, 0, -1]),
        lockTime: oneOf([0, 0, 0, height, height + 1, height + 2, header.time, header.time + 600]),
        sequence: oneOf([
          ...[depth - 1, depth, depth + 1].map((blocks) => Math.max(0, blocks)),
          ...[0, 0xffff_ffff, 0xffff_fffe, 0x40_0000, 0x40_0001, 0x8000_0001],
        ]),
      },
    )
  }
  const flipped = (): Transaction => {
    const { length } = encodeTransaction(whole)
    for (;;) {
      const altered = encodeTransaction(whole)
      const at = below(length)
      altered[at] = (altered[at] ?? 0) ^ (1 << below(8))
      const tx = attempt(() => decodeTransaction(altered))
      if (!(tx instanceof BadEncoding)) return tx
    }
  }
  const whole = signedSpend(coins.slice(0, 6), [pay(elsewhere, value), pay(owner, 5n * value)])
  for (let made = 0; made < MUTATIONS; ) {
    const tx = made % 2 === 0 ? signed() : flipped()
    made += 1
    const parent = witness.node.tip()
    const block = blockOn(witness.node, { transactions: [tx] })
    witness.show(`case ${made}`, block)
    if (witness.judged.at(-1)?.reason !== 'accepted') continue
    // It is replaced, so that the next one has the same coins to spend.
    const other = blockOn(witness.node, { parent, reward: 1n + BigInt(made) })
    witness.show('a block beside it', other)
    const next = { header: other.header, height: parent.height + 1 }
    witness.show('a block above that', blockOn(witness.node, { parent: next }))
  }
  const accepted = witness.judged.filter(
    ({ what, reason }) => /^case/.test(what) && reason === 'accepted',
  )
  expect(accepted.length).toBeGreaterThan(0)
  compare(witness.judged)
})

/** A few operations, pushes of small things among them; most are nonsense. */
function randomScript(below: (bound: number) => number): Uint8Array {
  const operations = Array.from({ length: 1 + below(9) }, () => {
    const dice = below(12)
    if (dice < 5) return numberPush(below(4))
    if (dice < 6) return pushData(randomItem(below))
    if (dice < 9) return Uint8Array.of(0x8b + below(27)) // Arithmetic, 1ADD to WITHIN.
    return Uint8Array.of(0x4f + below(0x70)) // Up to OP_CHECKSIGADD and a few beyond.
  })
  return concat(...operations, ...(below(2) === 0 ? [Uint8Array.of(0x51)] : []))
}

const ITEMS = ['', '01', '02', '80', '81', '0000', 'ff7f', 'ffffffff7f', `02${'11'.repeat(32)}`]
const randomItem = (below: (bound: number) => number): Uint8Array =>
  fromHex(present(ITEMS[below(ITEMS.length)], 'an item'))

withCore(
  `of ${MUTATIONS} random scripts, bare, in P2WSH and in taproot, Core says the same`,
  () => {
    const random = seeded('random scripts')
    const below = (bound: number): number => (random.words(1)[0] ?? 0) % bound
    const witness = new Witness()
    witness.mine(130)
    const locks = Array.from({ length: MUTATIONS }, (_, i) => {
      const script = randomScript(below)
      const stack = Array.from({ length: below(4) }, () => randomItem(below))
      if (i % 3 === 0) {
        const scriptSig = concat(new Uint8Array(0), ...stack.map(pushData))
        return { script, proof: { scriptSig } }
      }
      if (i % 3 === 1)
        return { script: p2wshScript(sha256(script)), proof: { witness: [...stack, script] } }
      const { script: output, control } = taprootOutput(1, { script })
      return { script: output, proof: { witness: [...stack, script, control] } }
    })
    const fan = signedSpend(
      [coinbaseCoin(witness.node, 20, owner)],
      locks.map(({ script }) => pay(script, 10_000n)),
    )
    witness.show('a payment to every script', blockOn(witness.node, { transactions: [fan] }))
    expect(witness.judged.at(-1)?.reason).toBe('accepted')
    for (const [vout, { proof }] of locks.entries()) {
      const spend = transactionFromParts({
        inputs: [{ outpoint: { txid: txid(fan), vout }, ...proof }],
        outputs: [pay(elsewhere, 9_000n)],
      })
      const kind = ['bare', 'P2WSH', 'taproot'][vout % 3]
      const words = `${kind} ${toHex(encodeTransaction(spend))}`
      witness.show(words, blockOn(witness.node, { transactions: [spend] }))
    }
    const accepted = witness.judged.filter(
      ({ what, reason }) => what !== 'mined' && reason === 'accepted',
    )
    expect(accepted.length).toBeGreaterThan(MUTATIONS / 20)
    compare(witness.judged)
  },
)
