/**
 * Goal: the secret of an epoch is there as long as something is encrypted to it, whenever the node
 * starts again, and not longer, whoever stays and whoever leaves.
 * Method: threshold specification §§11.2 rules 2 and 3, 11.4, 16.2. Signers of four nodes whose work comes between
 * the slots that they read again.
 */
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/core/base/bytes.ts'
import { KEY_SCHEMES } from '../../src/core/base/key-scheme.ts'
import { EPOCH_RECORDS } from '../../src/core/tecdsa/epochs.ts'
import { encodeSignerMessage } from '../../src/core/tecdsa/message.ts'
import { SignerNet } from '../support/signer-net.ts'
import { expectValid, isDone, request } from '../support/signer-story.ts'

const nodes = [0, 1, 2, 3]
const message = utf8('a state root')
const recordsOf = (net: SignerNet, node: number): readonly string[] =>
  [...(net.records[node]?.keys() ?? [])].filter((key) => key.startsWith(EPOCH_RECORDS))

/** A net with its keys; every second turn is one of work. */
function ready(): SignerNet {
  let turns = 0
  const next = (count: number): number => {
    turns += 1
    return turns % 2 === 0 ? 0 : count - 1
  }
  const net = new SignerNet({
    nodes: 4,
    stockTarget: 0,
    next: (count) => (count > 1 ? next(count) : 0),
  })
  net.settle()
  return net
}

/** One more slot, in which nothing happens. */
function slot(net: SignerNet): void {
  net.submit(1, { type: 'abort', bytes: Uint8Array.of(1) })
  net.settle()
}

test('a node that starts again with the secrets of two epochs keeps that of the next one', () => {
  const net = ready()
  net.refresh()
  // Its word is in the log, the switch is not.
  expect(net.run(() => net.signer(1).epoch.stage === 'resharing')).toBe(true)
  expect(recordsOf(net, 1)).toHaveLength(1)
  net.stop(1)
  net.start(1)
  expect(net.keysOf(1).epochCount).toBe(2)
  net.settle()
  slot(net)
  expect(net.signer(1).epoch.version).toBe(2n)
  expect(net.signer(1).certificationShare(message)).toBeDefined()
  expect([net.keysOf(1).epochCount, recordsOf(net, 1)]).toEqual([1, [`${EPOCH_RECORDS}7/2`]])
  // And when it reads all of it once more.
  net.stop(1)
  net.start(1)
  net.settle()
  expect(net.signer(1).certificationShare(message)).toBeDefined()
})

test('a node that has left keeps no secret, and who joins keeps its own until it does', () => {
  const net = ready()
  const [joined = -1] = net.change({ join: ['a new one'], leave: [0] })
  net.settle()
  expect(net.signer(joined).epoch).toMatchObject({ version: 2n, stage: 'none' })
  expect(net.signer(joined).certificationShare(message)).toBeDefined()
  expect(net.keysOf(0).epochCount).toBe(1)
  slot(net)
  expect([0, 1, joined].map((node) => net.keysOf(node).epochCount)).toEqual([0, 1, 1])
  expect(recordsOf(net, 0)).toEqual([])
  net.stop(0)
  net.start(0)
  net.settle()
  expect(net.keysOf(0).epochCount).toBe(0)
})

/** Everybody tells everybody again what is open. */
function tellAgain(net: SignerNet, all = nodes): void {
  const resend = encodeSignerMessage({ type: 'resend' })
  for (const to of all)
    for (const from of all)
      net.take(to, net.signer(to).step({ type: 'message', from, bytes: resend }))
  net.settle()
}

describe('a key that is asked for while a refresh runs', () => {
  const keyId = { scheme: 'bip340', name: 'test_key_1' } as const
  const ask = (net: SignerNet, name: string): void => {
    const asked = request(name, keyId.name, keyId.scheme)
    net.ask(asked)
    net.settle()
    expectValid(net, asked, 3)
  }

  test('and is in the making at the switch, is made by those who are members then', () => {
    let isHeld = true
    const net = new SignerNet({
      nodes: 4,
      stockTarget: 0,
      tamper: (_, __, message) =>
        isHeld && message.type === 'dealing' && message.lane === 'bip340' ? undefined : message,
    })
    net.settle()
    const asked = request('early', keyId.name, keyId.scheme)
    net.ask(asked)
    net.settle()
    const joined = net.change({ join: ['one', 'two', 'three', 'four'], leave: nodes })
    net.settle()
    expect(net.signer(0).epoch.version).toBe(2n)
    expect(net.signer(0).publicKeyOf(keyId)).toBeUndefined()
    isHeld = false
    tellAgain(net, [...nodes, ...joined])
    expectValid(net, asked, joined[0])
  })

  test('and is final before the switch, is dealt on with the others', () => {
    let isHeld = false
    const net = new SignerNet({
      nodes: 4,
      stockTarget: 0,
      tamper: (_, __, message) =>
        isHeld && message.type === 'dealing' && message.lane === 'bls' ? undefined : message,
    })
    net.settle()
    isHeld = true
    net.refresh()
    net.settle()
    ask(net, 'before the switch')
    expect(net.signer(0).epoch).toMatchObject({ version: 1n, stage: 'resharing' })
    const key = net.signer(0).publicKeyOf(keyId)
    isHeld = false
    tellAgain(net)
    expect(net.signer(0).epoch).toMatchObject({ version: 2n, stage: 'none' })
    ask(net, 'after the switch')
    expect(net.signer(0).publicKeyOf(keyId)).toEqual(key)
    expect(net.faults).toEqual([])
  })
})

describe('a request paired before the switch whose tape comes after it', () => {
  let isHeld = true
  const net = new SignerNet({
    nodes: 4,
    stockTarget: 0,
    tamper: (_, __, message) =>
      isHeld && ['tape', 'tape-share'].includes(message.type) ? undefined : message,
  })
  const asked = KEY_SCHEMES.map((scheme) => request(`under ${scheme}`, 'test_key_1', scheme))

  test('is not signed as long as nobody has the tape', () => {
    net.settle()
    for (const each of asked) net.ask(each)
    net.settle()
    net.refresh()
    net.settle()
    expect(net.signer(0).epoch).toMatchObject({ version: 2n, stage: 'none' })
    expect(asked.map((each) => isDone(net, each))).toEqual([false, false, false])
  })

  test('gets it from shares of the new tape key, and its signature from shares of the old key', () => {
    isHeld = false
    tellAgain(net)
    for (const each of asked) expectValid(net, each)
    slot(net)
    expect(nodes.map((node) => net.keysOf(node).epochCount)).toEqual([1, 1, 1, 1])
    expect(net.faults).toEqual([])
  })
})
