/**
 * Goal: the reserves are all there at every moment of a withdrawal that is replaced or cancelled,
 * whichever transaction is mined. Source: cli §5.13; minter §14.
 */
import { describe, expect, it } from 'vitest'
import { decodeTransaction, outpointKey } from '../../src/core/btc/transaction.ts'
import type { State, SubmittedTransaction } from '../../src/core/minter/state/state.ts'
import { claimsOf, countCoins } from '../../src/wallet/reserve-coins.ts'
import { MINTER, ROOT, TestMinter, user } from '../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const SECOND = 1_000_000_000n
const DAY = 86_400n * SECOND
const alice = { owner: user(1) }

/** Three coins pay a withdrawal that no block takes. */
function story() {
  const world = new TestMinter()
  for (let i = 0; i < 3; i++) world.deposit(alice, 100_000n)
  world.withdraw(alice, ADDRESS, 250_000n)
  world.wait(11n * SECOND)
  world.sign()
  return world
}

const newest = ({ state }: TestMinter): SubmittedTransaction => {
  const [sent] = state.submitted.values()
  return sent ?? expect.unreachable('one is sent')
}

function next(world: TestMinter): SubmittedTransaction {
  world.wait(DAY + SECOND)
  world.sign()
  return newest(world)
}

/** One block takes this one of the chain. */
function mine(world: TestMinter, { signedTransaction }: SubmittedTransaction): void {
  const bytes = signedTransaction ?? expect.unreachable('the bytes are kept')
  world.chain.mempool.splice(0)
  world.chain.mempool.push(decodeTransaction(bytes))
  world.mine()
}

/** As `verify-reserves` counts: every claim is asked, and what was not asked is not known. */
function count(world: TestMinter, minter: State = world.state) {
  const claims = claimsOf({ minter, minterKey: ROOT, minterId: MINTER })
  const asked = new Set(claims.map(({ outpoint }) => outpointKey(outpoint)))
  const found: string[] = []
  const counted = countCoins(
    {
      minter,
      minterKey: ROOT,
      minterId: MINTER,
      failFast: false,
      outputOf: (outpoint) => {
        const output = world.chain.utxosByKey.get(outpointKey(outpoint))
        if (!asked.has(outpointKey(outpoint))) return { type: 'unknown' }
        return output === undefined ? { type: 'spent' } : { ...output, type: 'unspent' }
      },
    },
    found,
  )
  const { reservesSat, inFlightSat, owedSat } = counted
  return { found, surplus: reservesSat + inFlightSat - owedSat - world.ledger.supply, ...counted }
}

/** What the fees for the checks made. */
const CHECKS = 300n
const MINTER_FEE = 146n * 3n + 4n * 2n + 26n

describe('a withdrawal that is replaced', () => {
  it('owes its amount until one is mined, and the fee of the minter is earned then', () => {
    for (const member of [0, 1, 2]) {
      const world = story()
      const chain = [newest(world)]
      for (let i = 0; i < 2; i++) {
        expect(count(world)).toMatchObject({ found: [], surplus: CHECKS, owedSat: 250_000n })
        world.wait(DAY) // A replacement is half signed.
        expect(count(world)).toMatchObject({ found: [], surplus: CHECKS, owedSat: 250_000n })
        world.sign()
        chain.push(newest(world))
      }
      mine(world, chain[member] ?? newest(world))
      const mined = { found: [], surplus: CHECKS + MINTER_FEE, owedSat: 0n }
      expect(count(world)).toMatchObject(mined)
      world.mine(5)
      expect(count(world)).toMatchObject(mined)
    }
  })
})

describe('a withdrawal that is cancelled', () => {
  it.each([0, 1, 2])('owes what is left when member %i of the chain is mined', (member) => {
    const world = story()
    const chain = [newest(world)]
    world.upgrade({ type: 'upgrade', args: { inputsMax: 2n } })
    for (let i = 0; i < 2; i++) chain.push(next(world))
    expect(count(world)).toMatchObject({ found: [], surplus: CHECKS, owedSat: 250_000n })
    expect(count(world).coins.total).toBe(3)
    const mined = chain[member] ?? newest(world)
    mine(world, mined)
    const { bitcoinFee = 0n, minterFee = 0n } = mined.withdrawalFee ?? {}
    const owedSat = member === 0 ? 0n : 250_000n - bitcoinFee - minterFee
    expect(count(world)).toMatchObject({ found: [], surplus: CHECKS + minterFee, owedSat })
    world.mine(5)
    expect(count(world)).toMatchObject({ found: [], surplus: CHECKS + minterFee, owedSat: 0n })
  })
})

describe('what the books say of a transaction', () => {
  it.each<readonly [string, (sent: SubmittedTransaction) => Partial<SubmittedTransaction>, RegExp]>(
    [
      ['no bytes', () => ({ signedTransaction: undefined }), /cannot be read back/],
      ['no change', () => ({ changeOutput: undefined }), /cannot be read back/],
      ['other inputs', ({ utxos }) => ({ utxos: utxos.slice(1) }), /not the one its event names/],
      [
        'other bytes',
        ({ signedTransaction }) => ({ signedTransaction: signedTransaction?.with(70, 1) }),
        /not the one its event names|cannot be read back/,
      ],
      [
        'another value of its change',
        ({ changeOutput }) => ({
          changeOutput: { vout: 1, value: (changeOutput?.value ?? 0n) + 1n },
        }),
        /change of .* is not what its event says/,
      ],
    ],
  )('is compared with the chain: %s', (_, change, problem) => {
    const world = story()
    const old = newest(world)
    next(world)
    mine(world, old)
    const minter = structuredClone(world.state)
    const [[key, stuck] = expect.unreachable('one is stuck')] = minter.stuck
    minter.stuck.set(key, { ...stuck, ...change(stuck) })
    expect(count(world).found).toEqual([])
    expect(count(world, minter).found.join()).toMatch(problem)
  })
})
