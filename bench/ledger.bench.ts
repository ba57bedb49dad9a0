/**
 * Benchmark D8: transfers applied per second, without certificates. Source: performance
 * specification §7.
 */
import { hash } from 'node:crypto'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { concat, toHex, u64be } from '../src/core/base/bytes.ts'
import { assert, present } from '../src/core/base/errors.ts'
import { addNs, timestampNs } from '../src/core/base/units.ts'
import type { Account } from '../src/core/ic/account.ts'
import { principal } from '../src/core/ic/principal.ts'
import { ckbtcConfig } from '../src/core/ledger/config.ts'
import { apply, decide, initial } from '../src/core/ledger/machine.ts'
import type { State } from '../src/core/ledger/state.ts'
import { benchSeed } from './support/inputs.ts'
import type { Benchmark, Task } from './support/task.ts'
import { peer, task } from './support/task.ts'

const ACCOUNTS = 1_000
const BALANCE = 1_000_000_000n
const START = timestampNs(1_800_000_000_000_000_000n)

const generator = benchSeed('ledger').generator()
const minter = principal(Uint8Array.of(1, 1))
const accounts: readonly Account[] = Array.from({ length: ACCOUNTS }, () => ({
  owner: principal(Uint8Array.of(...generator.bytes(28), 2)),
}))

const account = (index: number): Account =>
  present(accounts[index % ACCOUNTS], 'an index of an account')

function freshLedger(): State {
  const config = ckbtcConfig({ minter, archiveController: minter })
  const initialBalances = accounts.map((one) => ({ account: one, amount: BALANCE }))
  return initial({ ...config, initialBalances }, START)
}

/** Each transfer has its own time, memo and parties, and is remembered for deduplication. */
function transfers(): Task {
  const state = freshLedger()
  return task(
    (index) => {
      const now = addNs(START, BigInt(index + 1) * 1_000n)
      const arg = {
        to: account(7 * index + 1),
        amount: BigInt(1 + (index % 1_000)),
        fee: 10n,
        memo: u64be(BigInt(index)),
        createdAtTime: now,
      }
      const caller = account(index).owner
      const { events, reply } = decide(
        state,
        { caller, call: { type: 'icrc1_transfer', arg } },
        now,
      )
      assert(reply.type === 'ok', 'a covered transfer is made')
      for (const event of events) apply(state, event)
      return state
    },
    ({ chain }) => present(chain.tipHash, 'a ledger with blocks has a tip'),
  )
}

/** A Map of balances and one hash a transfer: what no ledger with a hash chain can do without. */
function plainMap(sha256: (data: Uint8Array) => Uint8Array): Task {
  const balances = new Map(accounts.map(({ owner }) => [toHex(owner), BALANCE]))
  let tip = new Uint8Array(32)
  return task(
    (index) => {
      const [from, to] = [account(index).owner, account(7 * index + 1).owner]
      const amount = BigInt(1 + (index % 1_000))
      const [payer, payee] = [toHex(from), toHex(to)]
      balances.set(payer, (balances.get(payer) ?? 0n) - amount)
      balances.set(payee, (balances.get(payee) ?? 0n) + amount)
      tip = new Uint8Array(sha256(concat(tip, from, to, u64be(amount), u64be(BigInt(index)))))
      return tip
    },
    (bytes) => bytes,
  )
}

export const ledgerBenchmarks: readonly Benchmark[] = [
  {
    id: 'D8',
    name: 'ledger-transfer',
    group: null,
    n: null,
    prepare: () => ({
      own: transfers(),
      peers: {
        'map-noble': peer.yardstick(plainMap(nobleSha256)),
        'map-openssl': peer.yardstick(plainMap((data) => hash('sha256', data, 'buffer'))),
      },
      rate: { perCall: 1, unit: '/s' },
      note: 'peers: a Map and one SHA-256 a transfer, nothing checked',
    }),
  },
]
