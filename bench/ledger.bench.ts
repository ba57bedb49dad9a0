/**
 * Benchmarks D8 and G2: a ledger's transfers, hashes and answers. Source: performance specification
 * §7.
 */
import { hash } from 'node:crypto'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { concat, toHex, u64be } from '../src/core/base/bytes.ts'
import { assert, present } from '../src/core/base/errors.ts'
import { tokens } from '../src/core/base/units.ts'
import { encodeArgs } from '../src/core/ic/candid.ts'
import { credit } from '../src/core/ledger/accounts/balances.ts'
import type { Block } from '../src/core/ledger/blocks/block.ts'
import { hashBlock, hashTransaction } from '../src/core/ledger/blocks/block-hash.ts'
import { valueOfBlock } from '../src/core/ledger/blocks/block-value.ts'
import { hashValue } from '../src/core/ledger/blocks/value.ts'
import { ledgerInterface } from '../src/core/ledger/interface/ledger-interface.ts'
import { dispatch } from '../src/core/subnet/dispatch.ts'
import { LedgerCanister } from '../src/core/subnet/ledger-canister.ts'
import { POOL_SIZE, pool } from './support/inputs.ts'
import {
  account,
  BALANCE,
  freshLedger,
  minter,
  paymentOf,
  timeOf,
  transfer,
} from './support/ledger-load.ts'
import type { Benchmark, Prepared, Task } from './support/task.ts'
import { peer, task } from './support/task.ts'

/** Budgets; a gate fails at half of the rate. */
const HASHES_PER_S = 100_000
const BALANCES_PER_S = 1_000
const MANY_ACCOUNTS = 100_000

const bench = (id: string, name: string, prepare: () => Prepared): Benchmark => ({
  id,
  name,
  group: null,
  n: null,
  prepare,
})

function transfers(): Task {
  const state = freshLedger()
  return task(
    (index) => transfer(state, index),
    () => present(state.chain.tipHash, 'a ledger with blocks has a tip'),
  )
}

/** A Map of balances and one hash a transfer: what no ledger with a hash chain can do without. */
function plainMap(sha256: (data: Uint8Array) => Uint8Array): Task {
  const balances = new Map<string, bigint>()
  let tip = new Uint8Array(32)
  return task(
    (index) => {
      const { from, to, amount } = paymentOf(index)
      const [payer, payee] = [toHex(from.owner), toHex(to.owner)]
      balances.set(payer, (balances.get(payer) ?? BALANCE) - amount)
      balances.set(payee, (balances.get(payee) ?? BALANCE) + amount)
      const data = concat(tip, from.owner, to.owner, u64be(amount), u64be(BigInt(index)))
      tip = new Uint8Array(sha256(data))
      return tip
    },
    (bytes) => bytes,
  )
}

const applied = bench('D8', 'ledger-transfer', () => ({
  own: transfers(),
  peers: {
    'map-noble': peer.yardstick(plainMap(nobleSha256)),
    'map-openssl': peer.yardstick(plainMap((data) => hash('sha256', data, 'buffer'))),
  },
  rate: { perCall: 1, unit: '/s' },
  note: 'peers: a Map and one SHA-256 a transfer, nothing checked',
}))

/** Of a ledger that has made as many transfers: each with its own times, memo and parties. */
function blocksOf(count: number): readonly Block[] {
  const state = freshLedger()
  return Array.from({ length: count }, (_, index) => transfer(state, index))
}

/** Each value is hashed by its own rule, whatever it is: the standard word for word. */
const hashing = bench('G2', 'ledger-block-hash', () => {
  const blocks = blocksOf(POOL_SIZE)
  const block = pool(POOL_SIZE, (i) => present(blocks[i], 'a block for each place'))
  const bytes = (digest: Uint8Array): Uint8Array => digest
  return {
    own: task((i) => hashBlock(block(i), hashTransaction(block(i).transaction)), bytes),
    peers: { 'value by value': peer.same(task((i) => hashValue(valueOfBlock(block(i))), bytes)) },
    rate: { perCall: 1, unit: '/s' },
    gates: [{ of: 'rate', relation: '>=', bound: HASHES_PER_S / 2 }],
    note: 'the name of the transaction included',
  }
})

/** Bytes in, bytes out, as a client asks; every second account has nothing. */
const balance = bench('G2', 'ledger-balance', () => {
  const state = freshLedger()
  const subaccounts = pool(
    MANY_ACCOUNTS,
    (i) => new Uint8Array([...u64be(BigInt(i)), ...Array(24)]),
  )
  for (let i = 0; i < MANY_ACCOUNTS; i++)
    credit(state.balances, { ...account(i), subaccount: subaccounts(i) }, tokens(1n))
  const canister = new LedgerCanister(minter, state, [])
  const { args } = ledgerInterface.icrc1_balance_of
  const argOf = pool(POOL_SIZE, (i) => {
    const place = i * 97
    const owner = i % 2 === 0 ? account(place) : account(place + 1)
    return encodeArgs(args, [{ ...owner, subaccount: subaccounts(place) }])
  })
  return {
    own: task(
      (i) => {
        const kind = 'query'
        const context = {
          caller: minter,
          now: timeOf(0),
          kind,
          dataCertificate: () => undefined,
        } as const
        const call = { canisterId: minter, methodName: 'icrc1_balance_of', arg: argOf(i) }
        const reply = dispatch(canister.handlers(context), call, kind)
        assert(reply.type === 'replied', 'a balance is told')
        return reply.arg
      },
      (bytes) => bytes,
    ),
    rate: { perCall: 1, unit: '/s' },
    gates: [{ of: 'rate', relation: '>=', bound: BALANCES_PER_S / 2 }],
    note: `among ${MANY_ACCOUNTS} accounts, Candid included`,
  }
})

export const ledgerBenchmarks: readonly Benchmark[] = [applied, hashing, balance]
