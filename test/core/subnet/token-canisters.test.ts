/**
 * Goal: moving blocks takes turns with everything else: a bounded piece in each slot, a slot asked
 * for while there is more, and never so little that a ledger grows. Method: a token slot by slot;
 * ledger §12, its project rules.
 */
import { deserialize, serialize } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { addNs, timestampNs } from '../../../src/core/base/units.ts'
import { ckbtcTokenIds, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { DEFAULT_LIMITS } from '../../../src/core/ledger/config.ts'
import { initial } from '../../../src/core/ledger/machine.ts'
import { TokenArchives } from '../../../src/core/subnet/token-archives.ts'
import { newToken, TokenCanisters } from '../../../src/core/subnet/token-canisters.ts'
import { alice, bob, LedgerUnderTest, of, START, testConfig } from '../ledger/ledger-under-test.ts'

const ids = ckbtcTokenIds(ownCanisterIds)
/** Of thirteen blocks or so. */
const limits = { ...DEFAULT_LIMITS, archiveStepBytesMax: 2_000 }

function tokenOf(triggerThreshold: bigint, numBlocksToArchive: bigint) {
  const { archiveOptions } = testConfig()
  const ledger = new LedgerUnderTest({
    limits,
    archiveOptions: { ...archiveOptions, triggerThreshold, numBlocksToArchive },
  })
  ledger.fund(alice, 1_000_000_000_000n)
  const state = newToken(ledger.state)
  const token = new TokenCanisters(ids, state)
  let slot = 0n
  return {
    state,
    token,
    local: () => ledger.state.chain.blocks.length,
    add: (count: number): void => {
      for (let i = 0; i < count; i++)
        ledger.quietly(alice, { type: 'icrc1_transfer', arg: { to: of(bob), amount: 1n } })
    },
    endSlot: (): void => token.endSlot(addNs(START, slot++)),
  }
}

describe('the end of a slot', () => {
  test('moves as many blocks as the slot brought, and asks for none when a round is over', () => {
    const { token, add, endSlot, local } = tokenOf(60n, 50n)
    add(59)
    expect(token.nextTimer()).toBe(0n)
    endSlot()
    expect(local()).toBe(10)
    expect(token.nextTimer()).toBeUndefined()
    add(30)
    endSlot()
    expect(local()).toBe(40)
  })

  test('goes on a message at a time while nothing comes in, a slot for each', () => {
    const { state, add, local } = tokenOf(60n, 50n)
    add(59)
    state.lengthAtSlotEnd = 60n // The slot that brought them is over.
    const again = new TokenCanisters(ids, state)
    const sizes: number[] = []
    for (let slot = 1n; again.nextTimer() !== undefined; slot++) {
      again.endSlot(addNs(START, slot))
      sizes.push(local())
    }
    expect(sizes.length).toBe(4)
    expect(sizes.at(-1)).toBe(10)
    for (const [place, size] of sizes.entries())
      expect((sizes[place - 1] ?? 60) - size).toBeLessThan(14)
  })

  test('keeps up with whatever comes in', () => {
    const { add, endSlot, local } = tokenOf(60n, 50n)
    for (let slot = 0; slot < 12; slot++) {
      add(100)
      endSlot()
      expect(local()).toBeLessThan(160)
    }
  })

  test('moves as many from a snapshot, whatever was written behind the end of the slot', () => {
    const { state, token, add, endSlot } = tokenOf(60n, 50n)
    add(20)
    endSlot()
    add(45) // Such as a mint that a signature at the end of the slot leads to.
    const copy: typeof state = deserialize(serialize(state))
    const again = new TokenCanisters(ids, copy)
    again.endSlot(addNs(START, 1n))
    token.endSlot(addNs(START, 1n))
    expect(state.ledger.chain.firstLocalIndex).toBeGreaterThan(30n)
    expect(copy).toEqual(state)
  })

  test('is not held up by archives for which there are no more ids', () => {
    const archives = new TokenArchives({ ...ids, archivesMax: 1 }, [])
    const init = {
      blockIndexOffset: 0n,
      maxMemorySizeBytes: 1n,
      maxTransactionsPerResponse: 1n,
      parentHash: undefined,
    }
    expect(archives.create(0, init).type).toBe('ok')
    expect(archives.create(1, init)).toEqual({ type: 'failed', message: 'no id for archive 1' })
    expect(archives.remainingCapacity(ids.ledger).type).toBe('failed')
    expect(archives.append(ids.ledger, []).type).toBe('failed')
  })

  test('installs nothing before there is anything to move', () => {
    const state = newToken(initial(testConfig(), timestampNs(0n)))
    const token = new TokenCanisters(ids, state)
    token.endSlot(START)
    expect(token.nextTimer()).toBeUndefined()
    expect(token.canisters.map(({ name }) => name)).toEqual(['ledger', 'index'])
  })
})
