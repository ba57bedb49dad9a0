import { describe, expect, it } from 'vitest'
import { fromDisplayHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { HostDisk } from '../../../src/core/base/errors.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { sat } from '../../../src/core/base/units.ts'
import { addressOfScript } from '../../../src/core/btc/address.ts'
import { regtest } from '../../../src/core/btc/network.ts'
import { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import { Scenarios } from '../../../src/core/btc/regtest/scenarios.ts'
import {
  opReturnScript,
  p2aScript,
  p2pkhScript,
  p2shScript,
  p2trScript,
  p2wpkhScript,
  p2wshScript,
  witnessScript,
} from '../../../src/core/btc/script.ts'
import { EmbeddedBitcoin } from '../../../src/host/bitcoin/embedded-node.ts'
import { blockIsDue, startMining } from '../../../src/host/daemon/automatic-mining.ts'
import { BitcoinOperations, FIRST_BLOCKS } from '../../../src/host/daemon/bitcoin-operations.ts'
import { Purse, purseFunds, purseScript } from '../../../src/host/daemon/purse.ts'

const payee = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const CONFIRMATIONS = 6

async function withChain(
  act: (bitcoin: EmbeddedBitcoin, chain: BitcoinOperations) => Promise<void> | void,
) {
  const bitcoin = await EmbeddedBitcoin.start()
  try {
    bitcoin.mine(FIRST_BLOCKS, purseScript)
    await act(bitcoin, new BitcoinOperations(bitcoin, CONFIRMATIONS))
  } finally {
    await bitcoin.close()
  }
}

const ask = { to: payee, outputs: 1, mine: false }

describe('the faucet', () => {
  it('pays what is asked for, in the number of outputs asked for', () =>
    withChain(async (_, chain) => {
      const { txid, amountSat } = await chain.faucet({ ...ask, amountSat: 100_000_001, outputs: 3 })
      expect(amountSat).toBe(100_000_001)
      const paid = chain.tx({ txid })
      const outputs = paid?.outputs.filter(({ address }) => address === payee) ?? []
      expect(outputs.map(({ amountSat }) => amountSat)).toEqual([
        33_333_334, 33_333_334, 33_333_333,
      ])
      expect(paid?.confirmations).toBe(0)
      expect(paid?.inputs[0]?.from?.isFaucet).toBe(true)
    }))

  it('makes a payment that is sighted until a block has it, and by nobody else', () =>
    withChain(async (_, chain) => {
      const { txid } = await chain.faucet({ ...ask, amountSat: 7_000, outputs: 2 })
      const { outputs } = chain.sightings({ address: payee })
      expect(outputs.map(({ amountSat }) => amountSat)).toEqual([3_500, 3_500])
      expect(new Set(outputs.map((output) => output.txid))).toEqual(new Set([txid]))
      const other = 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry'
      expect(chain.sightings({ address: other })).toEqual({ outputs: [] })
      expect(() => chain.sightings({ address: '<script>' })).toThrow(/no Bitcoin address/)
      await chain.mine({ count: 1, to: undefined, empty: false })
      expect(chain.sightings({ address: payee })).toEqual({ outputs: [] })
    }))

  it('names at most a hundred sightings', () =>
    withChain(async (_, chain) => {
      await chain.faucet({ ...ask, amountSat: 500_000, outputs: 120 })
      expect(chain.sightings({ address: payee }).outputs.length).toBe(100)
    }))

  it('mines the payment when it is asked to', () =>
    withChain(async (_, chain) => {
      const { txid, blocks } = await chain.faucet({ ...ask, amountSat: 1_000, mine: true })
      expect(blocks).toHaveLength(1)
      expect(chain.tx({ txid })?.confirmations).toBe(1)
    }))

  it('spends its change, so that one coin lasts for many payments', () =>
    withChain(async (bitcoin, chain) => {
      const height = bitcoin.height
      for (let payment = 0; payment < 20; payment++)
        await chain.faucet({ ...ask, amountSat: 100_000_000 })
      expect(bitcoin.height).toBe(height)
    }))

  it('mines when too many of its payments wait for a block', () =>
    withChain(async (_, chain) => {
      const paid = []
      for (let payment = 0; payment < 60; payment++)
        paid.push(await chain.faucet({ ...ask, amountSat: 10_000 }))
      expect(new Set(paid.map(({ txid }) => txid)).size).toBe(60)
      for (const { txid } of paid) expect(chain.tx({ txid })).toBeDefined()
    }))

  it('never fails for lack of ripe coins: it mines what is needed', () =>
    withChain(async (_, chain) => {
      const { txid } = await chain.faucet({ ...ask, amountSat: 40_000_000_000 })
      expect(chain.tx({ txid })?.outputs[0]?.amountSat).toBe(40_000_000_000)
    }))

  it.each([
    ['P2PKH', p2pkhScript(new Uint8Array(20).fill(1))],
    ['P2SH', p2shScript(new Uint8Array(20).fill(2))],
    ['P2WPKH', p2wpkhScript(new Uint8Array(20).fill(3))],
    ['P2WSH', p2wshScript(new Uint8Array(32).fill(4))],
    ['P2TR', p2trScript(new Uint8Array(32).fill(5))],
    ['P2A', p2aScript()],
    ['an unknown witness version', witnessScript(2, new Uint8Array(32).fill(6))],
  ])('pays an address of type %s', (_, script) =>
    withChain(async (bitcoin, chain) => {
      const to = addressOfScript(script, regtest) ?? ''
      const { txid } = await chain.faucet({ ...ask, to, amountSat: 1_000, mine: true })
      expect(chain.tx({ txid })?.confirmations).toBe(1)
      const output = bitcoin.output({ txid: fromDisplayHex(txid), vout: 0 })
      expect(output).toMatchObject({ type: 'unspent', value: 1_000n, script })
    }),
  )

  it('pays with data beside the payment', () =>
    withChain((bitcoin) => {
      const data = { value: sat(0n), script: opReturnScript(new Uint8Array(80).fill(7)) }
      const paid = { value: sat(5_000n), script: p2wpkhScript(new Uint8Array(20)) }
      const made = new Purse(bitcoin).pay([data, paid])
      const reply = made.type === 'paid' ? bitcoin.submit(made.bytes) : made
      expect(reply.type).toBe('accepted')
      bitcoin.mine(1, purseScript)
      const [, mined] = bitcoin.blockAt(bitcoin.height)?.transactions ?? []
      expect(mined?.outputs.slice(0, 2)).toEqual([data, paid])
    }))

  it('knows what is to come where blocks pay less and less, and mines no more in vain', () =>
    withChain(async (bitcoin, chain) => {
      bitcoin.mine(450, purseScript) // Three halvings: a block is worth 6.25 BTC.
      const { height } = bitcoin
      await expect(chain.faucet({ ...ask, amountSat: 2_000_000_000_000 })).rejects.toThrow(
        expect.objectContaining({ code: 'BTC_REFUSED' }),
      )
      expect(bitcoin.height).toBe(height)
    }))

  it('lends its coins to scenarios, which spend a payment of it otherwise', () =>
    withChain(async (bitcoin, chain) => {
      const { node, clock } = bitcoin
      const seed = Seed.fromBytes(utf8('scenario'))
      const funds = purseFunds(bitcoin)
      const scenarios = new Scenarios({ node, funds, seed, now: () => clock.now() })
      const { txid } = await chain.faucet({ ...ask, amountSat: 10_000, mine: true })
      const reply = scenarios.doubleSpend(fromDisplayHex(txid))
      expect(reply).toMatchObject({ type: 'doubleSpent', depth: 1 })
      expect(chain.tx({ txid })).toBeUndefined()
      clock.advance(7_200)
      bitcoin.mine(1, purseScript)
      expect(bitcoin.tip.header.time).toBeGreaterThan(Date.now() / 1_000 + 7_000)
    }))

  it('refuses what it could never pay', () =>
    withChain(async (_, chain) => {
      await expect(chain.faucet({ ...ask, amountSat: 2_000_000_000_000_000 })).rejects.toThrow(
        expect.objectContaining({ code: 'BTC_REFUSED' }),
      )
    }))

  it('finds its coins again after a reorganisation', () =>
    withChain(async (_, chain) => {
      await chain.faucet({ ...ask, amountSat: 1_000, mine: true })
      chain.reorg({ depth: 3, dropTransactions: true })
      const { txid } = await chain.faucet({ ...ask, amountSat: 1_000, mine: true })
      expect(chain.tx({ txid })?.confirmations).toBe(1)
    }))

  it.each([
    ['a wrong checksum', 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081', 'BTC_BAD_ADDRESS'],
    ['another network', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'BTC_WRONG_NETWORK'],
    ['a principal', 'aaaaa-aa', 'BTC_BAD_ADDRESS'],
  ])('refuses an address with %s', (_, to, code) =>
    withChain(async (_bitcoin, chain) => {
      await expect(chain.faucet({ ...ask, to, amountSat: 10_000 })).rejects.toThrow(
        expect.objectContaining({ code }),
      )
    }),
  )

  it('refuses dust, and shares that would be dust', () =>
    withChain(async (_, chain) => {
      await expect(chain.faucet({ ...ask, amountSat: 293 })).rejects.toThrow(
        expect.objectContaining({ code: 'BTC_REFUSED' }),
      )
      await expect(chain.faucet({ ...ask, amountSat: 1_000, outputs: 10 })).rejects.toThrow(
        expect.objectContaining({ code: 'BTC_REFUSED' }),
      )
    }))
})

describe('the embedded chain', () => {
  it('leaves transactions waiting in an empty block', () =>
    withChain(async (_, chain) => {
      const { txid } = await chain.faucet({ ...ask, amountSat: 10_000 })
      await chain.mine({ count: 1, to: undefined, empty: true })
      expect(chain.tip().waitingTransactions).toBe(1)
      await chain.mine({ count: 1, to: payee, empty: false })
      expect(chain.tx({ txid })?.confirmations).toBe(1)
    }))

  it('reorganises, and names the transactions that lost their confirmations', () =>
    withChain(async (_, chain) => {
      const before = chain.tip()
      const { txid } = await chain.faucet({ ...ask, amountSat: 10_000, mine: true })
      const { hash } = chain.tip()
      const reply = chain.reorg({ depth: 1, dropTransactions: true })
      expect(reply).toMatchObject({ oldTip: hash, height: before.height + 2, depth: 1 })
      expect(reply.unconfirmedTxids).toEqual([txid])
      expect(chain.tx({ txid })).toBeUndefined()
    }))

  it('reorganises no deeper than it is', () =>
    withChain(async (_, chain) => {
      expect(() => chain.reorg({ depth: 102, dropTransactions: false })).toThrow(
        expect.objectContaining({ code: 'BTC_REFUSED' }),
      )
    }))

  it('tells of an output whether it is spent', () =>
    withChain(async (_, chain) => {
      const { txid } = await chain.faucet({ ...ask, amountSat: 10_000, mine: true })
      const input = chain.tx({ txid })?.inputs[0]
      expect(chain.output({ txid, vout: 0 })).toMatchObject({ type: 'unspent', amountSat: 10_000 })
      expect(chain.output({ txid: input?.txid ?? '', vout: input?.vout ?? 0 }).type).toBe('spent')
      expect(chain.output({ txid: 'ab'.repeat(32), vout: 0 }).type).toBe('unknown')
    }))

  it('refuses a transaction in the words of Bitcoin Core', () =>
    withChain(async (_, chain) => {
      expect(() => chain.send({ hex: '00' })).toThrow(
        expect.objectContaining({ code: 'BTC_REFUSED', details: { reason: 'TX decode failed' } }),
      )
    }))

  it('takes a transaction that was made elsewhere, once', () =>
    withChain(async (_, chain) => {
      const { txid } = await chain.faucet({ ...ask, amountSat: 10_000, mine: true })
      const hex = chain.tx({ txid })?.hex ?? ''
      chain.reorg({ depth: 1, dropTransactions: true })
      expect(chain.send({ hex })).toEqual({ txid, isTaken: true })
      expect(() => chain.send({ hex })).toThrow(expect.objectContaining({ code: 'BTC_REFUSED' }))
    }))
})

describe('automatic mining', () => {
  const node = (): RegtestNode => {
    const chain = new RegtestNode()
    chain.mine(1, purseScript, 1)
    return chain
  }
  const view = (chain: RegtestNode) => ({
    height: chain.tip().height,
    waiting: chain.mempool(),
    blockAt: (height: number) => chain.blockAt(height),
  })

  it('rests on a chain of coinbases', () => {
    expect(blockIsDue(view(node()), CONFIRMATIONS)).toBe(false)
  })

  it('mines for a transaction until it has the confirmations that count, and then rests', () =>
    withChain(async (bitcoin, chain) => {
      await chain.faucet({ ...ask, amountSat: 10_000 })
      let blocks = 0
      for (; blockIsDue(bitcoin, CONFIRMATIONS); blocks++) bitcoin.mine(1, purseScript)
      expect(blocks).toBe(CONFIRMATIONS)
    }))

  it('asks for one block when one confirmation is enough', () =>
    withChain(async (bitcoin, chain) => {
      await chain.faucet({ ...ask, amountSat: 10_000 })
      expect(blockIsDue(bitcoin, 1)).toBe(true)
      bitcoin.mine(1, purseScript)
      expect(blockIsDue(bitcoin, 1)).toBe(false)
    }))

  it('has a purse whose script does not change: coins of old chains depend on it', () => {
    expect(toHex(purseScript)).toBe('0014562b7c731f5c41ef42595050e15f4a4e7d6e5525')
  })
})

describe('automatic mining', () => {
  it('tells of a block that could not be kept, and goes on', () =>
    withChain(async (bitcoin, chain) => {
      await chain.faucet({ ...ask, amountSat: 1_000 })
      const lack = new HostDisk('bitcoin', 'no space left', undefined)
      const heard: unknown[] = []
      const mode = { type: 'auto' } as const
      let end = (): void => undefined
      await new Promise<void>((resolve) => {
        bitcoin.subscribe(({ type }) => type === 'newTip' && resolve())
        const mine = (): void => {
          if (heard.length === 0) throw lack
          bitcoin.mine(1, purseScript)
        }
        const onError = (error: unknown): void => void heard.push(error)
        end = startMining({ bitcoin, mine, onError, mode, confirmations: 1 })
      })
      end()
      expect(heard).toEqual([lack])
    }))
})
