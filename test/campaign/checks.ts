/**
 * What must be true after every start: the totals agree, nothing that was answered is lost, no
 * presignature served twice. Source: cli §5.13, threshold specification §18.4.
 */
import { equalBytes, fromHex, toDisplayHex, toHex } from '../../src/core/base/bytes.ts'
import { decodeTransaction } from '../../src/core/btc/transaction.ts'
import type { Block } from '../../src/core/ledger/block.ts'
import { valueOfBlock } from '../../src/core/ledger/block-value.ts'
import { hashValue } from '../../src/core/ledger/value.ts'
import type { Event } from '../../src/core/minter/events.ts'
import { devUser } from '../../src/wallet/identity.ts'
import type { ReserveReport } from '../../src/wallet/reserves.ts'
import { verifyReserves } from '../../src/wallet/reserves.ts'
import type { Answered } from './load.ts'
import type { Live } from './target.ts'

/** Readings of the reserves until chain and subnet stand still together. */
const READINGS_MAX = 20

export type Checked = {
  readonly report: ReserveReport
  readonly signatures: number
  /** What is not as it must be, in words; empty in a sound subnet. */
  readonly wrong: readonly string[]
}

export class Checks {
  readonly #identity: { readonly rootKey: string; readonly masterKey: string }
  readonly #address: string
  /** Hashes of all blocks that were ever seen, in order. */
  #blocks: readonly string[] = []
  #events = 0
  readonly #deposits = new Set<string>()
  /** The first half of each signature ever seen, and what was signed with it. */
  readonly #nonces = new Map<string, string>()

  constructor({ status: { rootKey, masterPublicKey } }: Live, address: string) {
    this.#identity = { rootKey, masterKey: masterPublicKey }
    this.#address = address
  }

  async check(live: Live, answered: readonly Answered[]): Promise<Checked> {
    const wrong: string[] = []
    await this.#checkIdentity(live, wrong)
    const [blocks, events] = [await live.canisters.blocks(), await live.canisters.events()]
    this.#checkBlocks(blocks, answered, wrong)
    if (events.length < this.#events) wrong.push(`${this.#events - events.length} events are lost`)
    this.#events = events.length
    for (const answer of answered) if (answer.type === 'deposit') this.#deposits.add(answer.txid)
    for (const txid of this.#deposits)
      if ((await live.control.ask('tx', { txid })) === undefined)
        wrong.push(`the deposit ${txid} is lost`)
    await this.#checkNonces(live, events, wrong)
    const report = await settledReserves(live)
    if (report.verdict !== 'backed') wrong.push(`reserves: ${report.verdict}`)
    wrong.push(...report.contradictions)
    return { report, signatures: this.#nonces.size, wrong }
  }

  async #checkIdentity({ status, canisters }: Live, wrong: string[]): Promise<void> {
    const { rootKey, masterKey } = this.#identity
    if (status.rootKey !== rootKey) wrong.push('the root key is another one')
    if (status.masterPublicKey !== masterKey) wrong.push('the signing key is another one')
    const { address, derived } = await canisters.depositAddress({ owner: devUser(0).principal })
    if (address !== this.#address || derived !== address) wrong.push(`the address is ${address}`)
  }

  #checkBlocks(blocks: readonly Block[], answered: readonly Answered[], wrong: string[]): void {
    const hashes = blocks.map((block) => toHex(hashValue(valueOfBlock(block))))
    for (const [index, hash] of this.#blocks.entries())
      if (hashes[index] !== hash) wrong.push(`block ${index} was shown and is gone or changed`)
    this.#blocks = hashes
    for (const answer of answered) {
      if (answer.type === 'deposit') continue
      const transaction = blocks[Number(answer.blockIndex)]?.transaction
      if (transaction?.type !== answer.type || transaction.amount !== answer.amount)
        wrong.push(`${answer.type} block ${answer.blockIndex} was answered and is not there`)
    }
  }

  /** Two signatures with one r come from one presignature, and give the key away. */
  async #checkNonces(live: Live, events: readonly Event[], wrong: string[]): Promise<void> {
    for (const txid of sentBy(events)) {
      const found = await live.control.ask('tx', { txid })
      if (found === undefined) continue // Signed and not yet sent, or replaced.
      const { inputs } = decodeTransaction(fromHex(found.hex))
      for (const [index, { witness }] of inputs.entries()) {
        const r = nonceOf(witness[0] ?? new Uint8Array())
        const use = `${txid}:${index}:${toHex(witness[0] ?? new Uint8Array())}`
        const before = this.#nonces.get(r)
        if (before !== undefined && before !== use)
          wrong.push(`${before} and ${use} are signed with one presignature`)
        this.#nonces.set(r, use)
      }
    }
  }
}

function sentBy(events: readonly Event[]): readonly string[] {
  return events.flatMap(({ payload }) => {
    if (payload.type === 'sentTransaction') return [toDisplayHex(payload.txid)]
    return payload.type === 'replacedTransaction' ? [toDisplayHex(payload.newTxid)] : []
  })
}

/** r of a DER signature, without leading zeros. */
function nonceOf(signature: Uint8Array): string {
  const size = signature[3] ?? 0
  const r = signature.subarray(4, 4 + size)
  if (size === 0 || !equalBytes(signature.subarray(0, 1), Uint8Array.of(0x30)))
    throw new RangeError('a witness begins with a DER signature')
  return toHex(r).replace(/^(?:00)+/, '')
}

async function settledReserves({ canisters, bitcoin }: Live): Promise<ReserveReport> {
  let report = await verifyReserves(canisters, bitcoin)
  for (let i = 1; report.verdict === 'inconclusive' && i < READINGS_MAX; i++)
    report = await verifyReserves(canisters, bitcoin)
  return report
}
