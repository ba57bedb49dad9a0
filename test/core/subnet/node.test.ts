/**
 * Whole nodes over a real regtest chain: deposit, transfer, redemption, replay, and what must be
 * refused. IC interface §§16, 26 (73).
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { equalBytes, hash32, toHex } from '../../../src/core/base/bytes.ts'
import { CanisterRefused, present } from '../../../src/core/base/errors.ts'
import { parseBtc } from '../../../src/core/base/units.ts'
import { encodeBlock } from '../../../src/core/btc/block.ts'
import { decodeTransaction, encodeTransaction, txid } from '../../../src/core/btc/transaction.ts'
import { decodeArgs } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { decodeCbor } from '../../../src/core/ic/cbor.ts'
import { decodeEnvelope, requestId } from '../../../src/core/ic/envelope.ts'
import type { TipCertificate } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { encodeItem } from '../../../src/core/subnet/items.ts'
import type { Canisters } from '../../../src/wallet/canisters.ts'
import { canistersAt } from '../../../src/wallet/canisters.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { compareBooks } from '../../../src/wallet/reserve-books.ts'
import { verifyTip } from '../../../src/wallet/reserve-supply.ts'
import { verifyReserves } from '../../../src/wallet/reserves.ts'
import { queryContent } from '../../support/ic-requests.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const payer = regtestWallet('payer')
const recipient = regtestWallet('recipient')
const [dev0, dev1] = [devUser(0), devUser(1)]
const account = { owner: dev0.principal }

/** A subnet with its key and 101 blocks that pay the payer. */
function founded(nodes: number): { net: SubnetNet; canisters: Canisters } {
  const net = new SubnetNet(nodes)
  net.settle()
  net.mine(101, payer.script)
  net.pass(1) // Whatever was made last is certified.
  const rootKey = present(net.backend.rootKey, 'a root is certified')
  const { ledger: ledgerId, minter: minterId } = ownCanisterIds
  const masterPublicKey = present(net.node(0).publicKey, 'the key is made')
  const deployment = { url: 'http://127.0.0.1', rootKey, ledgerId, minterId, masterPublicKey }
  return { net, canisters: canistersAt(deployment, { signer: dev0, fetch: net.fetch }) }
}

const source = (net: SubnetNet) => ({
  output: async (outpoint: Parameters<typeof net.bitcoin.utxo>[0]) => net.bitcoin.utxo(outpoint),
  height: async () => net.bitcoin.tip().height,
})

/** Pays half a bitcoin to dev0's deposit address from an ordinary key. */
async function pay(net: SubnetNet, canisters: Canisters): Promise<Uint8Array> {
  const { address } = await canisters.depositAddress(account)
  const coinbase = present(net.bitcoin.blockAt(1)?.transactions[0], 'a coinbase')
  const outpoint = { txid: txid(coinbase), vout: 0 }
  const value = present(coinbase.outputs[0], 'it pays').value
  const utxos = [{ outpoint, value }]
  const payment = payer.pay({ utxos, to: address, amount: parseBtc('0.5'), feeRateSatPerVb: 5n })
  if (payment.type !== 'signed') throw new Error(payment.type)
  expect(net.bitcoin.submit(payment.bytes, net.nowSeconds).type).toBe('accepted')
  return payment.txid
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice()
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

async function deposited(nodes: number): Promise<{ net: SubnetNet; canisters: Canisters }> {
  const { net, canisters } = founded(nodes)
  await pay(net, canisters)
  net.mine(6, payer.script)
  return { net, canisters }
}

describe('a deposit', () => {
  it('is minted by itself with the sixth confirmation, not before', async () => {
    const { net, canisters } = founded(1)
    await pay(net, canisters)
    net.mine(5, payer.script)
    expect(await canisters.balanceOf(account)).toBe(0n)
    net.mine(1, payer.script)
    expect(await canisters.balanceOf(account)).toBe(49_999_900n)
    expect((await canisters.blocks()).length).toBe(1)
  })

  it('goes to the address that follows from the subnet key alone', async () => {
    const { canisters } = founded(1)
    const { address, derived } = await canisters.depositAddress(account)
    expect(address).toBe(derived)
  })
})

describe('a block', () => {
  it('that a liar had ordered before its header comes in again', () => {
    const { net } = founded(1)
    net.bitcoin.mine(1, payer.script, net.nowSeconds)
    const { height } = net.bitcoin.tip()
    const body = encodeBlock(present(net.bitcoin.blockAt(height), 'just mined'))
    net.order(encodeItem({ type: 'block', slot: BigInt(net.slots.length), block: body }))
    expect(net.node(0).replica.bitcoinHeight).toBe(height - 1)
    net.showHeaders(height)
    expect(net.node(0).replica.bitcoinHeight).toBe(height)
  })

  it('that nobody waits for is not put into the log', () => {
    const { net } = founded(1)
    const slots = net.slots.length
    const known = encodeBlock(present(net.bitcoin.blockAt(5), 'a block of the chain'))
    expect(net.node(0).step({ type: 'block', block: known })).toEqual([])
    expect(net.node(0).step({ type: 'block', block: Uint8Array.of(1, 2, 3) })).toEqual([])
    expect(net.slots.length).toBe(slots)
  })
})

describe('a redemption', () => {
  let net: SubnetNet
  let canisters: Canisters
  let burn: bigint

  beforeAll(async () => {
    ;({ net, canisters } = await deposited(4))
    burn = await canisters.redeem({
      address: recipient.address,
      amount: parseBtc('0.2'),
      now: net.now,
    })
    net.relaying = false
    net.pass(11_000)
  })

  it('is refused by the Bitcoin node with any one bit of its signature changed', () => {
    const transaction = decodeTransaction(present(net.announced[0], 'it was announced'))
    const [input, ...others] = transaction.inputs
    const { witness } = present(input, 'it has an input')
    const [signature, key] = [present(witness[0], 'it is signed'), present(witness[1], 'a key')]
    for (const bit of [40, 100, 200, 300, 400, 500]) {
      const inputs = [
        { ...present(input, 'seen'), witness: [flip(signature, bit), key] },
        ...others,
      ]
      const changed = encodeTransaction({ ...transaction, inputs })
      const reply = net.bitcoin.submit(changed, net.nowSeconds)
      expect(reply).toMatchObject({ reason: expect.stringMatching(/script-verify-flag-failed/) })
    }
    expect(net.bitcoin.mempool()).toEqual([])
  })

  it('is accepted by the Bitcoin node as it was signed, and pays what is due', async () => {
    const signed = present(net.announced[0], 'it was announced')
    expect(net.bitcoin.submit(signed, net.nowSeconds).type).toBe('accepted')
    const status = await canisters.redemptionStatus(burn)
    if (status.type !== 'submitted') throw new Error(status.type)
    const found = present(net.bitcoin.transaction(hash32(status.txid)), 'it is in the mempool')
    const paid = found.transaction.outputs.find(({ script }) =>
      equalBytes(script, recipient.script),
    )
    expect(paid?.value).toBe(19_998_995n)
  })

  it('is confirmed after six blocks, and the books agree with the chain', async () => {
    net.mine(6, payer.script)
    expect((await canisters.redemptionStatus(burn)).type).toBe('confirmed')
    const report = await verifyReserves(canisters.client, source(net))
    expect(report).toMatchObject({ verdict: 'backed', contradictions: [], owedSat: 0n })
    expect(report.surplusSat).toBe(410n)
    expect(net.faults).toEqual([])
  })

  it('leaves every node with the same books and no invariant broken', async () => {
    const chains = [...net.nodes.values()].map(({ node }) => {
      const { ids } = node.replica
      const query = {
        caller: dev0.principal,
        canisterId: ids.ledger,
        methodName: 'icrc1_total_supply',
      }
      const reply = node.replica.query({ ...query, arg: new Uint8Array([68, 73, 68, 76, 0, 0]) })
      expect(node.replica.violations()).toEqual([])
      return JSON.stringify(reply, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
    })
    expect(new Set(chains).size).toBe(1)
  })

  it('is remembered by a node that starts again from the log', async () => {
    const before = await canisters.events()
    net.stop(0)
    net.start(0)
    net.settle()
    for (const other of [1, 2, 3]) net.stop(other)
    expect(await canisters.events()).toEqual(before)
    expect((await canisters.redemptionStatus(burn)).type).toBe('confirmed')
  })
})

describe('a signature share', () => {
  it('with one bit changed makes no signature: it is refused and nothing is announced', async () => {
    const { net, canisters } = await deposited(1)
    const SHARE = 3
    net.tamper = (bytes) => (bytes[1] === SHARE ? flip(bytes, 8 * 61) : bytes)
    const burn = await canisters.redeem({
      address: recipient.address,
      amount: parseBtc('0.2'),
      now: net.now,
    })
    net.pass(11_000)
    expect(net.faults.join()).toMatch(/InvalidSignatureShare|BadEncoding/)
    expect(net.announced).toEqual([])
    expect((await canisters.redemptionStatus(burn)).type).toBe('signing')
  })
})

describe('reserves', () => {
  it('are not judged while the views never stand still together', async () => {
    const { net, canisters } = await deposited(1)
    let height = 0
    const moving = { ...source(net), height: async () => height++ }
    expect((await verifyReserves(canisters.client, moving)).verdict).toBe('inconclusive')
  })

  it('hold in every stage of a redemption: queued, signing, sent, mined, final', async () => {
    const { net, canisters } = await deposited(1)
    const judge = async (): Promise<string> => {
      const report = await verifyReserves(canisters.client, source(net))
      expect(report.contradictions).toEqual([])
      expect(report.surplusSat).toBeGreaterThanOrEqual(0n)
      return report.verdict
    }
    net.relaying = false
    await canisters.redeem({ address: recipient.address, amount: parseBtc('0.2'), now: net.now })
    expect(await judge()).toBe('backed')
    net.pass(11_000)
    expect(await judge()).toBe('backed')
    net.bitcoin.submit(present(net.announced[0], 'it was announced'), net.nowSeconds)
    expect(await judge()).toBe('backed')
    for (let depth = 1; depth <= 6; depth++) {
      net.mine(1, payer.script)
      expect(await judge()).toBe('backed')
    }
  })

  it('contradict each other when an event says less than its block burned, or another coin', async () => {
    const { net, canisters } = await deposited(1)
    await canisters.redeem({ address: recipient.address, amount: parseBtc('0.2'), now: net.now })
    const [blocks, events] = [await canisters.blocks(), await canisters.events()]
    const found = (change: (event: (typeof events)[number]) => (typeof events)[number]): string => {
      const contradictions: string[] = []
      compareBooks({ blocks, events: events.map(change) }, contradictions)
      return contradictions.join()
    }
    expect(found((event) => event)).toBe('')
    const less = found(({ timestamp, payload }) =>
      payload.type === 'acceptedRetrieveBtcRequest'
        ? { timestamp, payload: { ...payload, amount: 1n } }
        : { timestamp, payload },
    )
    expect(less).toMatch(/burn block 2 burns 20000000, its event says 1/)
    const other = found(({ timestamp, payload }) =>
      payload.type === 'receivedUtxos'
        ? { timestamp, payload: { ...payload, toAccount: { owner: dev1.principal } } }
        : { timestamp, payload },
    )
    expect(other).toMatch(/mint block 0 pays another account/)
    const foreign = found(({ timestamp, payload }) =>
      payload.type === 'receivedUtxos'
        ? { timestamp, payload: { ...payload, utxos: [] } }
        : { timestamp, payload },
    )
    expect(foreign).toMatch(/mint block 0 does not name the coin/)
    const contradictions: string[] = []
    compareBooks({ blocks, events: [...events, ...events] }, contradictions)
    expect(contradictions.join()).toMatch(/named twice/)
    compareBooks({ blocks, events: [] }, contradictions)
    expect(contradictions.join()).toMatch(/burn block 2 has no event/)
  })

  it('fall short when a coin of the books is gone from the chain', async () => {
    const { net, canisters } = await deposited(1)
    const honest = await verifyReserves(canisters.client, source(net))
    expect(honest.verdict).toBe('backed')
    const gone = { ...source(net), output: async () => ({ type: 'spent' }) as const }
    const report = await verifyReserves(canisters.client, gone)
    expect(report.verdict).toBe('shortfall')
    expect(report.contradictions.join()).toContain('is spent on the chain')
  })

  it('contradict each other when the chain shows another value or another script', async () => {
    const { net, canisters } = await deposited(1)
    const { output } = source(net)
    const changed = (change: object) => ({
      ...source(net),
      output: async (outpoint: Parameters<typeof output>[0]) => ({
        ...(await output(outpoint)),
        ...change,
      }),
    })
    const value = await verifyReserves(canisters.client, changed({ value: 1n }))
    expect(value.contradictions.join()).toContain('is worth 1')
    const script = await verifyReserves(canisters.client, changed({ script: payer.script }))
    expect(script.contradictions.join()).toContain('is not on the address of its account')
  })
})

describe('calls', () => {
  it('move tokens once, however often the envelope is handed in', async () => {
    const { net, canisters } = await deposited(1)
    await canisters.transfer({
      to: { owner: dev1.principal },
      amount: 1_000n,
      createdAtTime: net.now,
    })
    for (let again = 0; again < 3; again++) net.call(present(net.envelopes.at(-1), 'it was sent'))
    expect(await canisters.balanceOf({ owner: dev1.principal })).toBe(1_000n)
  })

  it('are refused by the canister in the words of its interface', async () => {
    const { canisters, net } = await deposited(1)
    const tooMuch = canisters.transfer({
      to: { owner: dev1.principal },
      amount: parseBtc('9'),
      createdAtTime: net.now,
    })
    await expect(tooMuch).rejects.toThrow(CanisterRefused)
    await expect(tooMuch).rejects.toMatchObject({
      code: 'LEDGER_REFUSED',
      reason: 'insufficientFunds',
    })
    const tooLittle = canisters.redeem({
      address: recipient.address,
      amount: 10_000n,
      now: net.now,
    })
    await expect(tooLittle).rejects.toMatchObject({
      code: 'MINTER_REFUSED',
      reason: 'amountTooLow',
    })
  })

  it('to methods and canisters that are not there are rejected, and broken arguments too', async () => {
    const { net } = founded(1)
    const { replica } = net.node(0)
    const ask = (canisterId: typeof replica.ids.ledger, methodName: string, arg: Uint8Array) =>
      replica.query({ caller: dev0.principal, canisterId, methodName, arg })
    const none = new Uint8Array([68, 73, 68, 76, 0, 0])
    expect(ask(replica.ids.ledger, 'icrc1_nothing', none)).toMatchObject({ code: 5 })
    expect(ask(replica.ids.ledger, 'toString', none)).toMatchObject({ code: 5 })
    expect(ask(replica.ids.firstArchive, 'icrc1_fee', none)).toMatchObject({ code: 3 })
    expect(ask(replica.ids.ledger, 'icrc1_balance_of', none)).toMatchObject({ code: 5 })
    expect(ask(replica.ids.ledger, 'icrc1_transfer', none)).toMatchObject({ code: 5 })
    expect(ask(replica.ids.ledger, 'icrc1_fee', none)).toMatchObject({ type: 'replied' })
  })

  it('that were tampered with, expired or come from the future leave no trace', async () => {
    const { net, canisters } = await deposited(1)
    await canisters.transfer({ to: { owner: dev1.principal }, amount: 5n, createdAtTime: net.now })
    const good = present(net.envelopes.at(-1), 'it was sent')
    const id = requestId(decodeEnvelope(good).content)
    const before = (await canisters.blocks()).length
    const bad = [
      good.slice(0, -1),
      good.map((byte, i) => (i === good.length - 1 ? byte ^ 1 : byte)),
      Uint8Array.of(1, 2, 3),
      new Uint8Array(0),
    ]
    for (const envelope of bad) {
      net.node(0).step({ type: 'ingress', requestId: id, envelope })
      net.order(encodeItem({ type: 'ingress', envelope }))
    }
    expect((await canisters.blocks()).length).toBe(before)
    expect(toHex(net.genesis.entropy).length).toBe(64)
  })
})

describe('the last block of the ledger', () => {
  /** So that a thousand questions do not take hundreds of blocks. */
  const ASKED_PER_MESSAGE = 40

  /** What a node says of it at this moment, in the middle of whatever it does. */
  function tipAt(net: SubnetNet, me: number): TipCertificate | undefined {
    const methodName = 'icrc3_get_tip_certificate'
    const content = { ...queryContent(dev0.principal, net.now, { methodName }) }
    const question = { type: 'query', requestId: requestId(content), content } as const
    const { answer } = net.node(me).ask(question, net.now)
    const body = answer.type === 'query' ? decodeCbor(answer.body) : undefined
    const reply = body instanceof Map ? body.get('reply') : undefined
    const arg = reply instanceof Map ? reply.get('arg') : undefined
    if (!(arg instanceof Uint8Array)) throw new Error('the ledger replies')
    return decodeArgs([ledgerInterface[methodName].result], arg)[0]
  }

  it('73: is certified a thousand times while transfers run, in any moment of a block', async () => {
    const { net, canisters } = await deposited(2)
    const rootKey = present(net.backend.rootKey, 'a root is certified')
    const tips = new Map<string, TipCertificate>()
    let [certified, uncertified] = [0, 0]
    net.tamper = (bytes) => {
      for (let time = 0; time < ASKED_PER_MESSAGE; time++) {
        const tip = tipAt(net, time % 2)
        if (tip === undefined) uncertified += 1
        else {
          certified += 1
          tips.set(toHex(tip.certificate) + toHex(tip.hashTree), tip)
        }
      }
      return bytes
    }
    let transfers = 0
    for (; certified < 1_000; transfers++)
      await canisters.transfer({
        to: { owner: dev1.principal },
        amount: 1n,
        createdAtTime: net.now,
      })
    net.tamper = (bytes) => bytes
    expect(uncertified).toBeGreaterThan(0) // Some were asked between a block and its certificate.
    const { ledger: ledgerId } = ownCanisterIds
    const found = [...tips.values()].map((tip) =>
      verifyTip(tip, { rootKey, ledgerId, now: net.now }),
    )
    const indexes = found.map((tip) => (tip.type === 'tip' ? tip.index : -1n))
    expect(indexes).toEqual(indexes.toSorted((a, b) => Number(a - b)))
    expect(new Set(indexes).size).toBeGreaterThanOrEqual(transfers)
  })
})
