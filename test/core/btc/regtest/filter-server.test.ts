/**
 * Goal: the regtest node serves the filters of BIP157, of every script that a block pays or spends,
 * also after a reorganisation, and refuses what an honest peer does not ask.
 */
import { describe, expect, test } from 'vitest'
import { equalBytes, hash32 } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { headerHash } from '../../../../src/core/btc/block.ts'
import {
  decodeFilter,
  filterHash,
  filterHeader,
  matchFilter,
} from '../../../../src/core/btc/compact-filter.ts'
import type { Message } from '../../../../src/core/btc/message.ts'
import { encodeMessage } from '../../../../src/core/btc/message.ts'
import type { StreamEvent } from '../../../../src/core/btc/message-stream.ts'
import { MessageStream } from '../../../../src/core/btc/message-stream.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import type { FilterQuestion } from '../../../../src/core/btc/regtest/filter-server.ts'
import { answerFilterQuestion } from '../../../../src/core/btc/regtest/filter-server.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { PeerLink } from '../../../../src/core/btc/regtest/peer-link.ts'
import type { LinkOutput } from '../../../../src/core/btc/regtest/peer-link-port.ts'
import { PackedStrings } from '../../../../src/core/btc/siphash.ts'
import { coinbaseCoin, NOW, nodeWithCoins, SUBSIDY } from './chains.ts'
import { EVERY_WALLET, p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const owner = p2wpkhWallet(1)
const elsewhere = p2wpkhWallet(2)
const ZERO = hash32(new Uint8Array(32))

/** Whether the filter of the block at a height shows the script. */
function shows(node: RegtestNode, height: number, script: Uint8Array): boolean {
  const entry = present(node.filters.at(height), 'the height is there')
  const packed = new PackedStrings([script])
  return matchFilter(decodeFilter(entry.filter), entry.block, packed).length > 0
}

const ask = (node: RegtestNode, question: Partial<FilterQuestion> & Pick<FilterQuestion, 'type'>) =>
  answerFilterQuestion(node.filters, {
    filterType: 0,
    startHeight: 0,
    stop: node.tip().hash,
    ...question,
  } as FilterQuestion)

describe('the filter of a block', () => {
  test.each(EVERY_WALLET)('shows a payment to $name and its spend', (wallet) => {
    const node = nodeWithCoins(wallet)
    expect(shows(node, 1, wallet.script)).toBe(true)
    expect(shows(node, 2, wallet.script)).toBe(false)
    const spend = signedSpend([coinbaseCoin(node, 1, wallet)], [pay(elsewhere, SUBSIDY - 1_000n)])
    expect(node.submit(spend, NOW).type).toBe('accepted')
    node.mine(1, elsewhere.script, NOW)
    expect(shows(node, node.tip().height, wallet.script)).toBe(true)
  })

  test('follows a reorganisation', () => {
    const node = nodeWithCoins(owner)
    const { height } = node.tip()
    const before = present(node.filters.at(height), 'the tip has a filter')
    node.reorganise(2, { dropTransactions: true, payToScript: elsewhere.script, nowSeconds: NOW })
    expect(shows(node, height, elsewhere.script)).toBe(true)
    const after = present(node.filters.at(height), 'the height is there again')
    expect(equalBytes(before.header, after.header)).toBe(false)
    expect(node.filters.of(before.block)).toBeUndefined()
  })
})

describe('a question for filters', () => {
  test('is answered with hashes that chain from genesis to the header', () => {
    const node = nodeWithCoins(owner)
    const answer = ask(node, { type: 'getcfheaders' })
    expect(answer).toMatchObject({
      type: 'message',
      message: { type: 'cfheaders', previous: ZERO },
    })
    if (answer.type !== 'message' || answer.message.type !== 'cfheaders') return
    const { hashes } = answer.message
    expect(hashes.length).toBe(node.tip().height + 1)
    const header = hashes.reduce((previous, hash) => filterHeader(hash, previous), ZERO)
    expect(header).toEqual(node.filters.at(node.tip().height)?.header)
  })

  test('has checkpoints at every thousandth height', () => {
    const node = new RegtestNode()
    node.mine(2_001, owner.script, NOW)
    const answer = ask(node, { type: 'getcfcheckpt' })
    const headers = [1_000, 2_000].map((height) => node.filters.at(height)?.header)
    expect(answer).toMatchObject({ message: { type: 'cfcheckpt', headers } })
  })

  test('ends the connection if no honest peer would put it', () => {
    const node = new RegtestNode()
    node.mine(2_001, owner.script, NOW)
    const refused = { type: 'refused' }
    expect(ask(node, { type: 'getcfheaders', filterType: 1 })).toMatchObject(refused)
    expect(ask(node, { type: 'getcfcheckpt', stop: ZERO })).toMatchObject(refused)
    expect(ask(node, { type: 'getcfheaders', startHeight: 2_002 })).toMatchObject(refused)
    expect(ask(node, { type: 'getcfheaders', startHeight: 1 })).toMatchObject(refused)
    expect(ask(node, { type: 'getcfheaders', startHeight: 2 })).toMatchObject({ type: 'message' })
    expect(ask(node, { type: 'getcfilters', startHeight: 1_001 })).toMatchObject(refused)
    expect(ask(node, { type: 'getcfilters', startHeight: 1_002 })).toMatchObject({
      type: 'filters',
    })
  })

  test('is answered over a connection, filters one message each', () => {
    const node = nodeWithCoins(owner)
    const session = new PeerLink({ node, peer: 'a', nonce: 5n })
    const nobody = { services: 0n, address: new Uint8Array(16), port: 0 }
    const say = (message: Message) =>
      session
        .step({ type: 'bytes', bytes: encodeMessage(regtest, message), nowSeconds: NOW })
        .flatMap((output): readonly (StreamEvent | LinkOutput)[] =>
          output.type === 'drop' ? [output] : new MessageStream(regtest).push(output.bytes),
        )
    say({
      type: 'version',
      version: 70_016,
      services: 0n,
      time: BigInt(NOW),
      receiver: nobody,
      sender: nobody,
      nonce: 1n,
      userAgent: '/test/',
      startHeight: 0,
      relay: true,
    })
    say({ type: 'verack' })
    const stop = headerHash(present(node.blockAt(10), 'block 10').header)
    const heard = say({ type: 'getcfilters', filterType: 0, startHeight: 1, stop })
    expect(heard.length).toBe(10)
    for (const [i, event] of heard.entries()) {
      expect(event).toMatchObject({ type: 'message', message: { type: 'cfilter' } })
      if (event.type !== 'message' || event.message.type !== 'cfilter') continue
      const entry = present(node.filters.at(i + 1), 'its height')
      expect(event.message.block).toEqual(entry.block)
      expect(filterHash(event.message.filter)).toEqual(entry.hash)
    }
    expect(say({ type: 'getcfcheckpt', filterType: 9, stop })).toMatchObject([
      { type: 'drop', reason: 'bad-filter-request' },
    ])
  })
})
