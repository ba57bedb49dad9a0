/**
 * What must be true after every start: the totals agree, nothing that was answered is lost, no
 * presignature served twice. Source: cli §5.13, threshold specification §18.4.
 */
import { fromHex, toDisplayHex } from '../../src/core/base/bytes.ts'
import { decodeTransaction } from '../../src/core/btc/transaction.ts'
import type { Event } from '../../src/core/minter/events/events.ts'
import { devUser } from '../../src/wallet/identity.ts'
import type { ReserveReport } from '../../src/wallet/reserves.ts'
import { verifyReserves } from '../../src/wallet/reserves.ts'
import { compareBalances } from './ledger-books.ts'
import type { Answered } from './load.ts'
import { Nonces } from './nonces.ts'
import type { AnsweredBlock } from './shown-blocks.ts'
import { ShownBlocks } from './shown-blocks.ts'
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
  readonly #blocks = new ShownBlocks()
  readonly #nonces = new Nonces()
  #events = 0
  readonly #deposits = new Set<string>()

  constructor({ status: { rootKey, masterPublicKey } }: Live, address: string) {
    this.#identity = { rootKey, masterKey: masterPublicKey }
    this.#address = address
  }

  async check(live: Live, answered: readonly Answered[]): Promise<Checked> {
    const wrong: string[] = []
    await this.#checkIdentity(live, wrong)
    const [blocks, events] = [await live.canisters.blocks(), await live.canisters.events()]
    wrong.push(...this.#blocks.compare(blocks, answered.filter(isBlock)))
    if (events.length < this.#events) wrong.push(`${this.#events - events.length} events are lost`)
    this.#events = events.length
    for (const answer of answered) if (answer.type === 'deposit') this.#deposits.add(answer.txid)
    for (const txid of this.#deposits)
      if ((await live.control.ask('tx', { txid })) === undefined)
        wrong.push(`the deposit ${txid} is lost`)
    wrong.push(...(await compareBalances(live.canisters)))
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

  async #checkNonces(live: Live, events: readonly Event[], wrong: string[]): Promise<void> {
    for (const txid of sentBy(events)) {
      if (this.#nonces.has(txid)) continue
      const found = await live.control.ask('tx', { txid })
      // Undefined: signed and not yet sent, or replaced.
      if (found !== undefined)
        wrong.push(...this.#nonces.take(txid, decodeTransaction(fromHex(found.hex))))
    }
  }
}

const isBlock = (answer: Answered): answer is Extract<Answered, AnsweredBlock> =>
  answer.type !== 'deposit'

function sentBy(events: readonly Event[]): readonly string[] {
  return events.flatMap(({ payload }) => {
    if (payload.type === 'sentTransaction') return [toDisplayHex(payload.txid)]
    return payload.type === 'replacedTransaction' ? [toDisplayHex(payload.newTxid)] : []
  })
}

async function settledReserves({ canisters, bitcoin }: Live): Promise<ReserveReport> {
  let report = await verifyReserves(canisters.client, bitcoin)
  for (let i = 1; report.verdict === 'inconclusive' && i < READINGS_MAX; i++)
    report = await verifyReserves(canisters.client, bitcoin)
  return report
}
