/**
 * Goal: programs written for the deployed Bitcoin canister find the same methods, conditions,
 * errors and numbers here.
 * Method: bitcoin specification §9, through Candid and the dispatcher; a real regtest chain.
 */
import { IDL } from '@icp-sdk/core/candid'
import { beforeEach, describe, expect, test } from 'vitest'
import { concat, toHex, u32be } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { addressOfScript } from '../../../src/core/btc/address.ts'
import type { Block } from '../../../src/core/btc/block.ts'
import { encodeBlock, encodeHeader } from '../../../src/core/btc/block.ts'
import { mainnet, regtest, testnet4 } from '../../../src/core/btc/network.ts'
import { OUTGOING_COUNT_MAX } from '../../../src/core/btc/outgoing.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import { decodeArgs, encodeArgs, resultsOf, type ValueOf } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { managementCanister, type Principal } from '../../../src/core/ic/principal.ts'
import { BitcoinCanister, type BitcoinState } from '../../../src/core/subnet/bitcoin-canister.ts'
import {
  bitcoinInterface,
  bitcoinApiInterface as methods,
} from '../../../src/core/subnet/bitcoin-interface.ts'
import { FREE, TESTNET_FEES } from '../../../src/core/subnet/bitcoin-settings.ts'
import { passBitcoinCall } from '../../../src/core/subnet/canister-calls.ts'
import { dispatch } from '../../../src/core/subnet/dispatch.ts'
import {
  bytesOf,
  ChainBuilder,
  coinbaseOutput,
  hashOfBlock,
  NOW,
  scriptOf,
  spend,
  subsidyAt,
} from '../../support/chain-builder.ts'
import { describeInterface } from '../../support/interface-tests.ts'

await describeInterface('the Bitcoin interface', methods, 'ckbtc/bitcoin.idl.js')

const owner = scriptOf(7)
const addressOf = (script: Uint8Array): string => present(addressOfScript(script, regtest), 'one')
const address = addressOf(owner)
const operator = ownCanisterIds.minter
const COIN = subsidyAt(1)

/** A canister that follows these blocks; some headers without their bodies. */
class World {
  readonly state: BitcoinState
  readonly canister: BitcoinCanister

  constructor(blocks: readonly Block[], ahead: readonly Block[] = [], network = regtest) {
    this.state = { ...BitcoinCanister.initialState(network), headers: new Map() }
    this.canister = new BitcoinCanister(ownCanisterIds.bitcoin, this.state, { operator, nodes: 1 })
    this.follow(...blocks)
    this.canister.propose(
      0,
      ahead.map(({ header }) => encodeHeader(header)),
      NOW,
    )
  }

  follow(...blocks: readonly Block[]): void {
    this.canister.propose(
      0,
      blocks.map(({ header }) => encodeHeader(header)),
      NOW,
    )
    for (const block of blocks) this.canister.block(encodeBlock(block), NOW)
  }

  raw(
    methodName: string,
    arg: Uint8Array,
    kind: 'query' | 'update' = methodName in updates ? 'update' : 'query',
    caller: Principal = operator,
  ): CallReply {
    const context = { caller, now: NOW, kind, dataCertificate: () => undefined } as const
    const call = { canisterId: ownCanisterIds.bitcoin, methodName, arg }
    return dispatch(this.canister.handlers(context), call, kind)
  }

  ask<M extends MethodName>(name: M, ...args: ArgsOf<M>): ResultOf<M> | string {
    const { args: codecs } = methods[name]
    const reply = this.raw(name, encodeArgs<readonly []>(codecs as never, args as never))
    if (reply.type === 'rejected') return `${reply.errorCode} ${reply.message}`
    return decodeArgs(resultsOf(methods[name]), reply.arg)[0] as ResultOf<M>
  }

  /** As a canister through the management canister: what it hears and what comes back. */
  call<M extends MethodName>(name: M, cycles: bigint, ...args: ArgsOf<M>) {
    const arg = encodeArgs<readonly []>(methods[name].args as never, args as never)
    const effect = new Uint8Array(1)
    const call = { caller: managementCanister, effect, methodName: name, arg, cycles }
    const { answer, refund } = passBitcoinCall(this.canister, call, NOW)
    const heard = answer.type === 'replied' ? 'replied' : `${answer.code} ${answer.message}`
    return [heard, cycles - refund]
  }
}

type MethodName = keyof typeof methods
type ArgsOf<M extends MethodName> = (typeof methods)[M]['args'] extends readonly [infer C]
  ? readonly [ValueOf<C>]
  : readonly []
type ResultOf<M extends MethodName> = ValueOf<(typeof methods)[M]['result']>

const updates = Object.fromEntries(
  Object.entries(methods).filter(([, { mode }]) => mode === 'update'),
)
const network = 'regtest'
const FROM = 'Error from Canister 2as56-6x777-777s3-4aacq-cai: '
const trapped = (text: string): string =>
  `IC0503 ${FROM}Canister called \`ic0.trap\` with message: '${text}'`
const rejectedWith = (text: string): string => `IC0406 ${text}`

const builder = new ChainBuilder()
const blocks = builder.mineMany(5, { payTo: owner })
const ahead = builder.mineMany(3, { parent: blocks[4] })
const [first, second, third, fourth, fifth] = blocks as [Block, Block, Block, Block, Block]

let world = new World(blocks)
beforeEach(() => {
  world = new World(blocks)
})

describe('what must hold before an answer, in this order', () => {
  const everything = {
    bitcoin_get_utxos: { network: 'mainnet', address: '' },
    bitcoin_get_balance: { network: 'mainnet', address: '' },
    bitcoin_get_current_fee_percentiles: { network: 'mainnet' },
    bitcoin_get_block_headers: { network: 'mainnet', startHeight: 99 },
    bitcoin_send_transaction: { network: 'mainnet', transaction: new Uint8Array() },
  } as const
  const names = Object.keys(everything) as (keyof typeof everything)[]
  const errors = {
    bitcoin_get_utxos: 'get_utxos failed: MalformedAddress',
    bitcoin_get_balance: 'get_balance failed: MalformedAddress',
    bitcoin_get_current_fee_percentiles: 'replied',
    bitcoin_get_block_headers:
      'get_block_headers failed: StartHeightDoesNotExist { requested: 99, chain_height: 5 }',
    bitcoin_send_transaction: 'send_transaction failed: MalformedTransaction',
  } as const

  test.each(names)('%s', (name) => {
    world = new World(blocks, ahead) // Three headers ahead: not synced.
    const { bitcoin } = world.state
    const heard = (own = false): string => {
      const request = { ...everything[name], ...(own ? { network } : {}) }
      return String(world.call(name, 5n, request as never)[0])
    }
    const trap = (text: string): string => `5 ${trapped(text).slice('IC0503 '.length)}`
    Object.assign(bitcoin, { apiAccess: false, fees: TESTNET_FEES })
    expect(heard()).toBe(trap('Bitcoin API is disabled'))
    bitcoin.apiAccess = true
    expect(heard()).toBe(trap('Network must be regtest. Found mainnet'))
    if (name !== 'bitcoin_send_transaction')
      expect(heard(true)).toBe(trap('Canister state is not fully synced.'))
    bitcoin.disableApiIfNotFullySynced = false
    expect(heard(true)).toMatch(/message: 'Received 5 cycles\. \d+ cycles are required\.'$/)
    bitcoin.fees = FREE
    const error = errors[name]
    expect(heard(true)).toBe(error === 'replied' ? error : `4 ${error}`)
  })

  test('two headers ahead is synced, three are not', () => {
    const request = { network, address } as const
    world = new World(blocks, ahead.slice(0, 2))
    expect(world.ask('bitcoin_get_balance_query', request)).toBe(5n * COIN)
    world = new World(blocks, ahead)
    const behind = trapped('Canister state is not fully synced.')
    expect(world.ask('bitcoin_get_balance_query', request)).toBe(behind)
    expect(world.ask('bitcoin_get_utxos_query', request)).toBe(behind)
  })

  test('a query is refused where the log orders it', () => {
    const arg = encodeArgs(methods.bitcoin_get_utxos_query.args, [{ network, address }])
    for (const name of ['get_utxos_query', 'get_balance_query'])
      expect(world.raw(`bitcoin_${name}`, arg, 'update')).toMatchObject({
        errorCode: 'IC0406',
        message: `${name} cannot be called in replicated mode`,
      })
    expect(world.raw('bitcoin_get_utxos', arg, 'query')).toMatchObject({ errorCode: 'IC0536' })
  })

  test('test networks are called testnet', () => {
    world = new World([], [], testnet4)
    const wrong = { network: 'mainnet', address: '' } as const
    expect(world.ask('bitcoin_get_balance', wrong)).toBe(
      trapped('Network must be testnet. Found mainnet'),
    )
  })

  test('bitcoin §13.5: a heavier chain that forks below the anchor stops every answer', () => {
    const rivals = new ChainBuilder([first]).mineMany(9, { parent: first })
    world.state.chain.config = { ...world.state.chain.config, stabilityThreshold: 1 }
    world.follow(...ahead)
    expect(world.state.chain.tree.anchor.node.height).toBe(8)
    world.state.chain.stable.clear() // Nothing to go back with: as after 10,000 blocks.
    world.follow(...rivals)
    const diverged = trapped('ChainDiverged: a heavier chain forks below height 8.')
    expect(world.ask('bitcoin_get_utxos', { network, address })).toBe(diverged)
    expect(world.ask('bitcoin_get_balance_query', { network, address })).toBe(diverged)
    expect(world.ask('bitcoin_get_current_fee_percentiles', { network })).toBe(diverged)
    expect(world.ask('bitcoin_get_block_headers', { network, startHeight: 0 })).toBe(diverged)
    expect(world.canister.tipHeight).toBe(8)
    expect(world.canister.port(NOW).utxos({ script: owner, minConfirmations: 0 }).type).toBe(
      'temporarilyUnavailable',
    )
  })
})

describe('outputs and balances', () => {
  const utxosOf = (request: object) => {
    const answer = world.ask('bitcoin_get_utxos', { network, address, ...request })
    if (typeof answer === 'string') return answer
    return { heights: answer.utxos.map(({ height }) => height), tip: answer.tipHeight }
  }
  const balanceOf = (minConfirmations?: number) =>
    world.ask('bitcoin_get_balance', { network, address, minConfirmations })

  test('are the same asked either way', () => {
    const request = { network, address } as const
    const utxos = world.ask('bitcoin_get_utxos', request)
    expect(utxos).toMatchObject({ tipBlockHash: hashOfBlock(fifth), tipHeight: 5 })
    expect(world.ask('bitcoin_get_utxos_query', request)).toEqual(utxos)
    expect(world.ask('bitcoin_get_balance', request)).toBe(5n * COIN)
    expect(world.ask('bitcoin_get_balance_query', request)).toBe(5n * COIN)
  })

  const wrongAddress: readonly (readonly [string, string, string])[] = [
    ['no text', '', 'MalformedAddress'],
    ['no address', 'bcrt1', 'MalformedAddress'],
    [
      'bitcoin §13.51: a tb1 address on regtest is for the wrong network',
      'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx',
      'AddressForWrongNetwork { expected: Regtest }',
    ],
    [
      'bitcoin §13.52: a taproot address in bech32 is malformed',
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd',
      'MalformedAddress',
    ],
  ]
  test.each(wrongAddress)('%s', (_, text, error) => {
    for (const name of ['get_utxos', 'get_balance'] as const) {
      const request = { network, address: text } as const
      expect(world.ask(`bitcoin_${name}`, request)).toBe(rejectedWith(`${name} failed: ${error}`))
      expect(world.ask(`bitcoin_${name}_query`, request)).toBe(
        rejectedWith(`${name}_query failed: ${error}`),
      )
    }
  })

  test('bitcoin §13.50: an address in upper case is the same address', () => {
    expect(world.ask('bitcoin_get_balance', { network, address: address.toUpperCase() })).toBe(
      5n * COIN,
    )
  })

  test('more confirmations than the main chain is long are refused with its length', () => {
    const error = 'MinConfirmationsTooLarge { given: 7, max: 6 }'
    const filter = { type: 'minConfirmations', count: 7 } as const
    expect(utxosOf({ filter })).toBe(rejectedWith(`get_utxos failed: ${error}`))
    expect(balanceOf(7)).toBe(rejectedWith(`get_balance failed: ${error}`))
    expect(utxosOf({ filter: { ...filter, count: 6 } })).toEqual({ heights: [], tip: 0 })
    expect(utxosOf({ filter: { ...filter, count: 2 } })).toEqual({ heights: [4, 3, 2, 1], tip: 4 })
  })

  test('disagree on a forked tree (D6), and agree with strict confirmations', () => {
    world.follow(new ChainBuilder(blocks.slice(0, 4)).mine({ parent: fourth, payTo: scriptOf(9) }))
    const filter = { type: 'minConfirmations', count: 1 } as const
    expect(utxosOf({ filter })).toEqual({ heights: [4, 3, 2, 1], tip: 4 })
    expect(balanceOf(1)).toBe(5n * COIN)
    world.state.bitcoin.strictConfirmations = true
    expect(balanceOf(1)).toBe(4n * COIN)
    expect(balanceOf(7)).toMatch(/MinConfirmationsTooLarge/)
  })

  test('come in pages that follow each other, as of the tip of the first', () => {
    world.state.bitcoin.utxosPerPage = 2
    const heights: number[] = []
    let page: Uint8Array | undefined
    for (let pages = 1; ; pages++) {
      const filter = page && ({ type: 'page', page } as const)
      const answer = world.ask('bitcoin_get_utxos', { network, address, filter })
      if (typeof answer === 'string') throw new Error(answer)
      expect(answer.tipBlockHash).toEqual(hashOfBlock(fifth))
      heights.push(...answer.utxos.map(({ height }) => height))
      if (pages === 1) world.follow(...ahead.slice(0, 1))
      page = answer.nextPage
      if (page === undefined) break
    }
    expect(heights).toEqual([5, 4, 3, 2, 1])
  })

  test('bitcoin §13.7: a page of a block that lost ends earlier, of one that is gone names it', () => {
    world.state.bitcoin.utxosPerPage = 2
    const answer = world.ask('bitcoin_get_utxos', { network, address })
    if (typeof answer === 'string') throw new Error(answer)
    const page = present(answer.nextPage, 'three more outputs')
    const filter = { type: 'page', page } as const
    const rivals = new ChainBuilder(blocks.slice(0, 2)).mineMany(7, {
      parent: second,
      payTo: scriptOf(9),
    })
    world.follow(...rivals)
    // Blocks 3 to 5 have negative counts now: the client sees another tip than on page 1 (D5).
    expect(utxosOf({ filter })).toEqual({ heights: [2, 1], tip: 2 })
    world.state.chain.config = { ...world.state.chain.config, stabilityThreshold: 2 }
    world.follow(...new ChainBuilder([first, second, ...rivals]).mineMany(2))
    const bytes = [...hashOfBlock(fifth)].join(', ')
    expect(utxosOf({ filter })).toBe(
      rejectedWith(`get_utxos failed: UnknownTipBlockHash { tip_block_hash: [${bytes}] }`),
    )
  })

  test('bitcoin §13.48: ten thousand outputs of 546 satoshis come in ten pages', () => {
    const dust = scriptOf(8)
    const chain = new ChainBuilder().mineMany(101)
    const outputs = Array.from({ length: 10_000 }, () => ({ to: dust, value: 546n }))
    const tx = spend([coinbaseOutput(chain[0] as Block)], outputs)
    world = new World([...chain, new ChainBuilder(chain).mine({ transactions: [tx] })])
    const vouts: number[] = []
    let page: Uint8Array | undefined
    let pages = 0
    do {
      const filter = page && ({ type: 'page', page } as const)
      const request = { network, address: addressOf(dust), filter } as const
      const answer = world.ask('bitcoin_get_utxos_query', request)
      if (typeof answer === 'string') throw new Error(answer)
      vouts.push(...answer.utxos.map(({ outpoint }) => outpoint.vout))
      page = answer.nextPage
      pages++
    } while (page !== undefined)
    expect(pages).toBe(10)
    expect(vouts).toEqual(outputs.map((_, vout) => vout))
    const request = { network, address: addressOf(dust) } as const
    expect(world.ask('bitcoin_get_balance_query', request)).toBe(5_460_000n)
  })

  test('a page of another length than 72 is malformed', () => {
    for (const length of [0, 71, 73]) {
      const text = `Could not parse the page, the length is ${length}, but the expected length is 72.`
      expect(utxosOf({ filter: { type: 'page', page: new Uint8Array(length) } })).toBe(
        rejectedWith(`get_utxos failed: MalformedPage { err: "${text}" }`),
      )
    }
  })

  test('bitcoin §13.70: a page at the largest height and index is an empty page, no error', () => {
    const tail = new Uint8Array(36).fill(0xff)
    const at = (height: number) =>
      concat(
        hashOfBlock(fifth),
        u32be(height).map((byte) => byte ^ 0xff),
        tail,
      )
    const heights = (height: number) => utxosOf({ filter: { type: 'page', page: at(height) } })
    expect(heights(0xffff_ffff)).toEqual({ heights: [5, 4, 3, 2, 1], tip: 5 })
    expect(heights(0)).toEqual({ heights: [], tip: 5 })
  })

  test('bitcoin §13.28: a coinbase is listed at once', () => {
    world = new World([first])
    expect(utxosOf({})).toEqual({ heights: [1], tip: 1 })
  })

  test('bitcoin §13.49: an address used before lists each output by its outpoint', () => {
    const answer = world.ask('bitcoin_get_utxos', { network, address })
    if (typeof answer === 'string') throw new Error(answer)
    expect(answer.utxos.map(({ outpoint }) => outpoint)).toEqual(
      blocks.toReversed().map(coinbaseOutput),
    )
  })

  test.each([
    ['regtest', 'min_confirmations', 'page'],
    ['Regtest', 'MinConfirmations', 'Page'],
  ])('answer requests that write %s and %s', (net, confirmations, pageName) => {
    const types = IDL.Record({
      network: IDL.Variant({ [net]: IDL.Null }),
      address: IDL.Text,
      filter: IDL.Opt(IDL.Variant({ [confirmations]: IDL.Nat32, [pageName]: IDL.Vec(IDL.Nat8) })),
    })
    const asked = (filter: object) => {
      const arg = IDL.encode([types], [{ network: { [net]: null }, address, filter: [filter] }])
      const reply = world.raw('bitcoin_get_utxos_query', new Uint8Array(arg))
      if (reply.type === 'rejected') throw new Error(reply.message)
      return decodeArgs([methods.bitcoin_get_utxos.result], reply.arg)[0].utxos.length
    }
    expect(asked({ [confirmations]: 3 })).toBe(3)
    const page = concat(
      hashOfBlock(fifth),
      u32be(2).map((byte) => byte ^ 0xff),
      new Uint8Array(36),
    )
    expect(asked({ [pageName]: page })).toBe(2)
  })
})

describe('headers', () => {
  const ask = (startHeight: number, endHeight?: number) => {
    const answer = world.ask('bitcoin_get_block_headers', { network, startHeight, endHeight })
    if (typeof answer === 'string') return answer
    return [answer.blockHeaders.map(toHex), answer.tipHeight]
  }
  const hex = (...list: readonly Block[]) => list.map(({ header }) => toHex(encodeHeader(header)))

  test('are the range asked for, and the height of the last one (D7)', () => {
    expect(ask(1)).toEqual([hex(first, second, third, fourth, fifth), 5])
    expect(ask(2, 3)).toEqual([hex(second, third), 3])
    expect(ask(5, 5)).toEqual([hex(fifth), 5])
  })

  test('are a hundred at most', () => {
    const chain = new ChainBuilder().mineMany(130)
    world = new World(chain)
    const answer = ask(10)
    expect(answer[1]).toBe(109)
    expect(answer[0]).toEqual(hex(...chain.slice(9, 109)))
    expect(ask(31, 130)[1]).toBe(130)
  })

  test.each([
    [[6], 'StartHeightDoesNotExist { requested: 6, chain_height: 5 }'],
    [[6, 2], 'StartHeightDoesNotExist { requested: 6, chain_height: 5 }'],
    [[2, 6], 'EndHeightDoesNotExist { requested: 6, chain_height: 5 }'],
    [[3, 2], 'StartHeightLargerThanEndHeight { start_height: 3, end_height: 2 }'],
    [[0xffff_ffff], 'StartHeightDoesNotExist { requested: 4294967295, chain_height: 5 }'],
  ])('of %j: %s', ([start = 0, end], error) => {
    expect(ask(start, end)).toBe(rejectedWith(`get_block_headers failed: ${error}`))
  })

  test('of a branch that lost are not there', () => {
    world.follow(new ChainBuilder([first]).mine({ parent: first, payTo: scriptOf(9) }))
    expect(ask(2, 2)).toEqual([hex(second), 2])
  })
})

describe('transactions', () => {
  const tx = (vout: number) =>
    bytesOf(spend([{ ...coinbaseOutput(first), vout }], [{ to: owner, value: 1n }]))
  const send = (transaction: Uint8Array) =>
    world.ask('bitcoin_send_transaction', { network, transaction })
  const malformed = rejectedWith('send_transaction failed: MalformedTransaction')

  test('that are sane are listed for every node to announce', () => {
    expect(send(tx(0))).toBeUndefined()
    expect(send(tx(0))).toBeUndefined()
    expect(world.canister.adapterWork().announce.map(({ bytes }) => bytes)).toEqual([tx(0)])
  })

  test('bitcoin §13.60: bytes after a transaction make it malformed', () => {
    expect(send(concat(tx(0), Uint8Array.of(0)))).toBe(malformed)
    for (const bytes of [new Uint8Array(), tx(0).slice(0, -1), Uint8Array.of(1, 2, 3)])
      expect(send(bytes)).toBe(malformed)
    expect(world.canister.adapterWork().announce).toEqual([])
  })

  test('are taken by a view that is behind', () => {
    world = new World(blocks, ahead)
    expect(send(tx(0))).toBeUndefined()
  })

  test('beyond the room there is are refused', () => {
    for (let vout = 0; vout < OUTGOING_COUNT_MAX; vout++) send(tx(vout))
    expect(send(tx(OUTGOING_COUNT_MAX))).toBe(rejectedWith('send_transaction failed: QueueFull'))
  })
})

describe('fees', () => {
  const ask = () => world.ask('bitcoin_get_current_fee_percentiles', { network })

  test('bitcoin §13.62: an empty chain has no percentiles', () => {
    expect(ask()).toEqual([])
  })

  test('bitcoin §13.64: with a coinbase alone at the tip they come from earlier blocks', () => {
    const chain = new ChainBuilder().mineMany(101)
    const paying = spend([coinbaseOutput(chain[0] as Block)], [{ to: owner, value: COIN - 820n }])
    const more = new ChainBuilder(chain)
    const block = more.mine({ transactions: [paying], fees: 820n })
    world = new World([...chain, block])
    const before = ask()
    expect(before).toHaveLength(101)
    world.follow(more.mine({ parent: block }))
    expect(ask()).toEqual(before)
  })

  test('of the operator’s level are 101 times that level', () => {
    world.canister.setFeeLevel(7_000n, NOW)
    expect(ask()).toEqual(Array.from({ length: 101 }, () => 7_000n))
  })
})

describe('the chain as a whole', () => {
  const info = () => world.ask('get_blockchain_info')

  test('is shown, behind or not', () => {
    expect(info()).toEqual({
      height: 5,
      blockHash: hashOfBlock(fifth),
      timestamp: fifth.header.time,
      difficulty: 1n,
      // Two a block: the reward, and the commitment to witnesses in an OP_RETURN.
      utxosLength: 10n,
    })
    world = new World(blocks, ahead)
    world.state.bitcoin.apiAccess = false
    expect(info()).toMatchObject({ height: 5 })
  })

  test('bitcoin §13.29: an output to OP_RETURN counts until its block is below the anchor', () => {
    world.state.chain.config = { ...world.state.chain.config, stabilityThreshold: 2 }
    world.follow(...ahead)
    // Six blocks below the anchor hold one output each that can be spent, two above hold two.
    const { height } = world.state.chain.tree.anchor.node
    expect(info()).toMatchObject({ height: 8, utxosLength: BigInt(height - 1 + 2 * (9 - height)) })
  })
})

describe('settings', () => {
  const initial = {
    stabilityThreshold: 144n,
    network,
    blocksSource: managementCanister,
    syncing: true,
    fees: FREE,
    apiAccess: true,
    disableApiIfNotFullySynced: true,
    burnCycles: false,
    lazilyEvaluateFeePercentiles: false,
  } as const
  const set = (change: object, caller: Principal = operator) => {
    const arg = encodeArgs(methods.set_config.args, [change])
    const reply = world.raw('set_config', arg, 'update', caller)
    return reply.type === 'replied' ? 'set' : `${reply.errorCode} ${reply.message}`
  }
  const config = () => world.ask('get_config')

  test('are shown, and changed by what is named alone', () => {
    expect(config()).toEqual(initial)
    expect(set({})).toBe('set')
    expect(config()).toEqual(initial)
    const watchdogCanister = { id: ownCanisterIds.index }
    const change = { fees: TESTNET_FEES, burnCycles: true, stabilityThreshold: 3n, syncing: false }
    expect(set({ ...change, watchdogCanister })).toBe('set')
    const changed = { ...initial, ...change, watchdogCanister: ownCanisterIds.index }
    expect(config()).toEqual(changed)
    expect(world.state.chain.tree.anchor.node.height).toBe(3)
    expect(set({ watchdogCanister: {} })).toBe('set')
    expect(config()).toEqual({ ...initial, ...change })
  })

  test('are the operator’s; the watchdog opens and closes the interface', () => {
    const refusal = /^IC0406 only the operator .* may do this$/
    const watchdog = ownCanisterIds.index
    expect(set({ apiAccess: false }, watchdog)).toMatch(refusal)
    set({ watchdogCanister: { id: watchdog } })
    expect(set({ apiAccess: false }, watchdog)).toBe('set')
    expect(set({ apiAccess: true, syncing: false }, watchdog)).toMatch(refusal)
    expect(config()).toMatchObject({ apiAccess: false, syncing: true })
  })

  test('a stability threshold of nothing or without end changes nothing', () => {
    for (const stabilityThreshold of [0n, 1n << 32n])
      expect(set({ stabilityThreshold, apiAccess: false })).toMatch(/a stability threshold of/)
    expect(config()).toEqual(initial)
  })

  test('no blocks are asked for while syncing is off', () => {
    world = new World(blocks, ahead)
    set({ syncing: false })
    expect(world.canister.adapterWork().wanted).toEqual([])
    set({ syncing: true })
    expect(world.canister.adapterWork().wanted).toEqual(ahead.map(hashOfBlock))
  })
})

test('the operator sets how long pages are and what balances count', () => {
  const { x_set_answers: method } = bitcoinInterface
  const set = (change: object, caller: Principal = operator) => {
    const reply = world.raw('x_set_answers', encodeArgs(method.args, [change]), 'update', caller)
    return reply.type === 'replied' ? decodeArgs([method.result], reply.arg)[0] : reply.errorCode
  }
  expect(set({ utxosPerPage: 2, strictConfirmations: true }, ownCanisterIds.index)).toBe('IC0406')
  for (const utxosPerPage of [0, 10_001]) expect(set({ utxosPerPage })).toBe(false)
  expect(world.state.bitcoin).toMatchObject({ utxosPerPage: 1_000, strictConfirmations: false })
  expect(set({ utxosPerPage: 10_000 })).toBe(true)
  expect(set({ strictConfirmations: true })).toBe(true)
  expect(world.state.bitcoin).toMatchObject({ utxosPerPage: 10_000, strictConfirmations: true })
})

describe('prices', () => {
  const { getUtxosMaximum, getBalanceMaximum, getBlockHeadersMaximum } = TESTNET_FEES
  const sendFee = TESTNET_FEES.sendTransactionBase + 3n * TESTNET_FEES.sendTransactionPerByte
  const least = {
    bitcoin_get_utxos: [getUtxosMaximum, TESTNET_FEES.getUtxosBase],
    bitcoin_get_balance: [getBalanceMaximum, TESTNET_FEES.getBalance],
    bitcoin_get_current_fee_percentiles: [
      TESTNET_FEES.getCurrentFeePercentilesMaximum,
      TESTNET_FEES.getCurrentFeePercentiles,
    ],
    bitcoin_get_block_headers: [getBlockHeadersMaximum, TESTNET_FEES.getBlockHeadersBase],
    bitcoin_send_transaction: [sendFee, sendFee],
  } as const
  const request = { network, address, startHeight: 1, transaction: Uint8Array.of(1, 2, 3) }

  test.each(Object.entries(least))(
    '%s needs its maximum and keeps its fee',
    (method, [max, fee]) => {
      world.state.bitcoin.fees = TESTNET_FEES
      const name = method as keyof typeof least
      const short = trapped(`Received ${max - 1n} cycles. ${max} cycles are required.`)
      expect(world.call(name, max - 1n, request as never)).toEqual([
        `5 ${short.slice('IC0503 '.length)}`,
        0n,
      ])
      const isSend = name === 'bitcoin_send_transaction'
      // A malformed transaction is refused after the fee.
      expect(world.call(name, max + 9n, request as never)).toEqual([
        isSend ? '4 send_transaction failed: MalformedTransaction' : 'replied',
        fee,
      ])
    },
  )

  test('are zero, and users pay none', () => {
    expect(world.call('bitcoin_get_utxos', 9n, request as never)).toEqual(['replied', 0n])
    world.state.bitcoin.fees = TESTNET_FEES
    expect(world.ask('bitcoin_get_balance_query', { network, address })).toBe(5n * COIN)
    expect(world.ask('bitcoin_get_balance', { network, address })).toBe(
      trapped(`Received 0 cycles. ${getBalanceMaximum} cycles are required.`),
    )
  })
})

test('a mainnet address is for the wrong network too', () => {
  const text = present(addressOfScript(owner, mainnet), 'one')
  expect(world.ask('bitcoin_get_balance', { network, address: text })).toBe(
    rejectedWith('get_balance failed: AddressForWrongNetwork { expected: Regtest }'),
  )
})
