/**
 * Signatures as outstanding work, and what survives a crash. Source: minter §12 [H 2], checklist
 * 91, 92.
 */
import { describe, expect, it } from 'vitest'
import { bigEndian, concat, fromBigEndian, toHex } from '../../../src/core/base/bytes.ts'
import { secp256k1 } from '../../../src/core/base/noble-secp256k1.ts'
import { verifyEcdsa } from '../../../src/core/base/verification.ts'
import { decodeTransaction, txid, vsize } from '../../../src/core/btc/transaction.ts'
import { publicKeyOf } from '../../../src/core/minter/addresses.ts'
import type { SignatureRequest } from '../../../src/core/minter/calls.ts'
import { replay } from '../../../src/core/minter/events/replay.ts'
import {
  MINTER,
  ROOT,
  signatureFor,
  someTxid,
  TestMinter,
  user,
} from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const SECOND = 1_000_000_000n
const alice = { owner: user(1) }

/** A batch of `inputs` coins that waits for its signatures. */
function signing(inputs = 1): TestMinter {
  const world = new TestMinter()
  for (let i = 0; i < inputs; i++) world.deposit(alice, 1_000_000n)
  world.withdraw(alice, ADDRESS, 1_000_000n * BigInt(inputs) - 200_000n)
  world.wait(11n * SECOND)
  expect(world.state.signing.size).toBe(1)
  return world
}

const first = (requests: readonly SignatureRequest[]): SignatureRequest => {
  const [request] = requests
  return request ?? expect.unreachable('nothing is asked')
}

describe('outstanding signatures', () => {
  it('name key, path and digest of an input', () => {
    const world = signing()
    const request = first(world.outstanding())
    const [transaction] = world.state.signing.values()
    expect(request.key).toEqual({ txid: transaction?.txid, input: 0, attempt: 0 })
    expect(request.path).toEqual([Uint8Array.of(1), alice.owner, new Uint8Array(32)])
    const publicKey = publicKeyOf(ROOT, alice)
    const signature = signatureFor(request)
    expect(verifyEcdsa({ publicKey, digest: request.digest, signature }, { lowS: true })).toBe(true)
  })

  it('are at most ten, and the rest follow as results come', () => {
    const world = signing(14)
    const asked = new Set<string>()
    for (let open = world.outstanding(); open.length > 0; open = world.outstanding()) {
      expect(open.length).toBeLessThanOrEqual(10)
      for (const { key } of open) asked.add(`${toHex(key.txid)}:${key.input}:${key.attempt}`)
      const request = first(open)
      world.deliver(request, signatureFor(request))
    }
    expect(asked.size).toBe(14)
    expect(world.state.submitted.size).toBe(1)
  })

  it('stay the same until they are answered', () => {
    const world = signing()
    const before = world.outstanding()
    world.wait(60n * SECOND)
    expect(world.outstanding()).toEqual(before)
  })
})

describe('a signature', () => {
  it('with a high s is brought low', () => {
    const world = signing()
    const request = first(world.outstanding())
    const signature = signatureFor(request)
    const s = fromBigEndian(signature.subarray(32))
    world.deliver(request, concat(signature.subarray(0, 32), bigEndian(secp256k1.order - s, 32)))
    expect(world.state.submitted.size).toBe(1)
    world.mine(6) // The chain refuses what is not low.
    expect(world.status(1n).type).toBe('confirmed')
  })

  it.each<readonly [string, (signature: Uint8Array) => Uint8Array]>([
    ['another r', (s) => s.with(3, (s[3] ?? 0) ^ 1)],
    ['another s', (s) => s.with(40, (s[40] ?? 0) ^ 1)],
    ['r of zero', (s) => concat(new Uint8Array(32), s.subarray(32))],
    ['s of zero', (s) => concat(s.subarray(0, 32), new Uint8Array(32))],
    ['63 bytes', (s) => s.subarray(0, 63)],
    ['65 bytes', (s) => concat(s, Uint8Array.of(0))],
    ['no bytes', () => new Uint8Array()],
  ])('with %s is not used: the input is asked for again in the next round', (_, change) => {
    const world = signing()
    const request = first(world.outstanding())
    world.deliver(request, change(signatureFor(request)))
    expect(world.state.submitted.size).toBe(0)
    expect(world.outstanding()).toEqual([])
    world.wait(5n * SECOND)
    const again = first(world.outstanding())
    expect(again).toEqual({ ...request, key: { ...request.key, attempt: 1 } })
    world.deliver(again, signatureFor(again))
    expect(world.state.submitted.size).toBe(1)
  })

  it('of another input is not used', () => {
    const world = signing(2)
    const [one, two] = world.outstanding()
    if (one === undefined || two === undefined) return expect.unreachable('two are asked')
    world.deliver(one, signatureFor(two))
    world.deliver(two, signatureFor(one))
    expect(world.state.submitted.size).toBe(0)
    expect(world.events('xInputSigned')).toEqual([])
  })

  it('that comes twice, late or for nothing known changes nothing', () => {
    const world = signing(2)
    const [one, two] = world.outstanding()
    if (one === undefined || two === undefined) return expect.unreachable('two are asked')
    world.deliver(one, signatureFor(one))
    const count = world.events().length
    world.deliver(one, signatureFor(one))
    world.deliver({ ...one, key: { ...one.key, input: 7 } }, signatureFor(one))
    world.deliver({ ...one, key: { ...one.key, txid: someTxid(1) } }, signatureFor(one))
    world.fail(one)
    expect(world.events().length).toBe(count)
    world.deliver(two, signatureFor(two))
    expect(world.state.submitted.size).toBe(1)
    const end = world.events().length
    world.deliver(two, signatureFor(two))
    expect(world.events().length).toBe(end)
  })

  it('of an earlier attempt that turns up after all is used', () => {
    const world = signing()
    const request = first(world.outstanding())
    world.fail(request)
    world.wait(5n * SECOND)
    expect(first(world.outstanding()).key.attempt).toBe(1)
    world.deliver(request, signatureFor(request))
    expect(world.state.submitted.size).toBe(1)
    expect(world.outstanding()).toEqual([])
  })
})

describe('a request that failed', () => {
  it('leaves coins and withdrawals where they are: a signature may exist', () => {
    const world = signing()
    const before = [...world.state.signing.keys()]
    for (let attempt = 0; attempt < 5; attempt++) {
      world.fail(first(world.outstanding()))
      world.wait(5n * SECOND)
      expect(first(world.outstanding()).key.attempt).toBe(attempt + 1)
    }
    expect([...world.state.signing.keys()]).toEqual(before)
    expect(world.state.availableUtxos.size).toBe(0)
    expect(world.status(1n)).toEqual({ type: 'signing' })
  })

  it('does not push the open ones above ten', () => {
    const world = signing(25)
    for (let round = 0; round < 4; round++) {
      for (const request of world.outstanding().slice(0, 6)) world.fail(request)
      expect(world.outstanding().length).toBe(10)
      world.wait(5n * SECOND)
      expect(world.outstanding().length).toBe(10)
    }
  })
})

describe('a complete transaction', () => {
  it('is on record with its bytes before it is sent', () => {
    const world = signing()
    let recordedAtSend = 0
    const send = world.chain.send.bind(world.chain)
    world.chain.send = (bytes) => {
      recordedAtSend = world.events('sentTransaction').length
      return send(bytes)
    }
    world.sign()
    expect(recordedAtSend).toBe(1)
    const [event] = world.events('sentTransaction')
    const [bytes] = world.chain.sent
    if (bytes === undefined) return expect.unreachable('nothing was sent')
    const transaction = decodeTransaction(bytes)
    expect(event?.payload).toMatchObject({
      requests: [1n],
      txid: txid(transaction),
      signedTransaction: bytes,
      submittedAt: world.now,
      withdrawalFee: { bitcoinFee: 705n, minterFee: 300n },
      fee: 705_000n / BigInt(vsize(transaction)),
    })
    expect(world.status(1n)).toEqual({ type: 'submitted', txid: txid(transaction) })
  })

  it('minter §23.91: stays submitted when a send fails, and is sent again as it is', () => {
    const world = signing()
    world.chain.refusesToSend = true
    world.sign()
    expect(world.status(1n).type).toBe('sending')
    expect(world.state.submitted.size).toBe(1)
    expect(world.state.availableUtxos.size).toBe(0)
    world.wait(60n * SECOND)
    world.chain.refusesToSend = false
    world.wait(5n * SECOND)
    expect(world.status(1n).type).toBe('submitted')
    expect(world.chain.sent.length).toBe(1)
    world.wait(60n * SECOND)
    expect(world.chain.sent.length).toBe(1)
  })

  it('minter §23.91: keeps its inputs from others when a send fails', () => {
    const world = signing(3)
    world.chain.refusesToSend = true
    world.sign()
    const used = [...world.state.submitted.values()].flatMap(({ utxos }) => utxos)
    world.deposit({ owner: user(2) }, 500_000n)
    world.withdraw({ owner: user(2) }, ADDRESS, 400_000n)
    world.wait(60n * SECOND)
    const others = [...world.state.signing.values()].flatMap(({ utxos }) => utxos)
    expect(others.length).toBe(1)
    expect(used).not.toContain(others[0])
  })
})

describe('after a crash', () => {
  it('in the middle of signing, what is left is asked again and the rest is kept', () => {
    const world = signing(3)
    const [one, two] = world.outstanding()
    if (one === undefined || two === undefined) return expect.unreachable('three are asked')
    world.deliver(one, signatureFor(one))
    world.fail(two)
    const [before] = world.state.signing.values()
    world.upgrade(undefined)
    expect([...world.state.signing.values()]).toEqual([before])
    expect(world.outstanding().map(({ key }) => [key.input, key.attempt])).toEqual([
      [1, 1],
      [2, 0],
    ])
    world.sign()
    world.mine(6)
    expect(world.status(3n).type).toBe('confirmed')
    expect(world.events('xSigningStarted').length).toBe(1)
  })

  it('minter §23.92: between signing and sending, it is sent, and no other spends its coins', () => {
    const world = signing()
    world.chain.refusesToSend = true
    world.sign()
    const { signedTransaction } = [...world.state.submitted.values()][0] ?? {}
    world.chain.refusesToSend = false
    world.upgrade(undefined)
    expect(world.chain.sent).toEqual([signedTransaction])
    world.mine(6)
    expect(world.status(1n).type).toBe('confirmed')
    expect(world.events('xSigningStarted', 'sentTransaction').length).toBe(2)
  })

  it('minter §23.91: a node that knows the transaction already counts as sent', () => {
    const world = signing()
    world.sign()
    world.upgrade(undefined)
    expect(world.chain.sent.length).toBe(2)
    expect(world.chain.mempool.length).toBe(1)
    expect(world.state.volatile.unsent.size).toBe(0)
  })

  it('the log alone tells what must still be signed', () => {
    const world = signing()
    const state = replay(world.events(), MINTER)
    expect([...state.signing.keys()]).toEqual([...world.state.signing.keys()])
  })
})
