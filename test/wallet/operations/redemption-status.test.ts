/**
 * Goal: whatever a minter says of a redemption, the journal says where the money is, in bounded space.
 * Method: cli §§3.10, 5.5, minter §9.4; every status of the interface, told by a port.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hash32, toDisplayHex } from '../../../src/core/base/bytes.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import type { RetrieveBtcStatusV2 } from '../../../src/core/minter/types.ts'
import { Journal } from '../../../src/wallet/operations/journal.ts'
import { isOpen, textFact } from '../../../src/wallet/operations/operation.ts'
import { outcomeOf, refreshRedemption } from '../../../src/wallet/operations/redemption-status.ts'
import { dev0, SpendingDesks } from '../../support/spending-desks.ts'

const account = { owner: dev0.principal }
const txid = (fill: number) => hash32(new Uint8Array(32).fill(fill))
const request = { account, amount: 5n, reason: { type: 'callFailed' } } as const

const statuses: readonly (readonly [RetrieveBtcStatusV2, string, string])[] = [
  [{ type: 'unknown' }, 'queued', 'waiting'],
  [{ type: 'pending' }, 'queued', 'waiting'],
  [{ type: 'signing' }, 'signing', 'waiting'],
  [{ type: 'sending', txid: txid(1) }, 'sending', 'waiting'],
  [{ type: 'submitted', txid: txid(1) }, 'broadcast', 'waiting'],
  [{ type: 'confirmed', txid: txid(1) }, 'confirmed', 'done'],
  [{ type: 'amountTooLow' }, 'rejected', 'refused'],
  [{ type: 'willReimburse', request }, 'returning', 'waiting'],
  [{ type: 'reimbursed', deposit: { ...request, mintBlockIndex: 9n } }, 'returned', 'returned'],
]

test.each(statuses)('$0.type has a stage and a state', (status, stage, state) => {
  const outcome = outcomeOf(status)
  expect([textFact(outcome, 'stage'), outcome.state]).toEqual([stage, state])
  if (status.type === 'reimbursed')
    expect(outcome.facts).toMatchObject({
      returnedSat: '5',
      returnedBlockIndex: '9',
      reason: 'callFailed',
    })
})

describe('a redemption under way', () => {
  const desks = new SpendingDesks()
  let folder = ''
  let journal: Journal
  beforeAll(() => desks.fund())
  afterAll(() => desks.close())
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ckbtc-redeem-'))
    const entropy = (size: number) => new Uint8Array(size)
    journal = new Journal({ path: join(folder, 'operations.jsonl'), entropy, nowMs: Date.now })
    return () => rmSync(folder, { recursive: true })
  })

  const tell = (status: RetrieveBtcStatusV2): void => {
    const { result } = minterInterface.retrieve_btc_status_v2
    const arg = encodeArgs([result], [status])
    desks.net.answers.set('retrieve_btc_status_v2', { type: 'replied', arg })
  }

  const begun = () => {
    const facts = { burnBlockIndex: '1', stage: 'broadcast', txid: toDisplayHex(txid(1)) }
    const begin = { kind: 'redeem', network: 'local', key: 'dev0', account: 'a', facts } as const
    const { id } = journal.begin(begin)
    return journal.update(id, { state: 'waiting' })
  }

  const operating = () => ({
    client: desks.reader,
    journal,
    key: null,
    account,
    signal: new AbortController().signal,
  })

  test('keeps its stage where the minter has forgotten it', async () => {
    tell({ type: 'unknown' })
    const now = await refreshRedemption(operating(), begun())
    expect(now).toMatchObject({ state: 'waiting', facts: { stage: 'broadcast' } })
  })

  test('remembers the transactions that were replaced, and not without end', async () => {
    let operation = begun()
    for (let fill = 2; fill < 60; fill++) {
      tell({ type: 'submitted', txid: txid(fill) })
      operation = await refreshRedemption(operating(), operation)
    }
    const replaced = String(textFact(operation, 'replacedTxids')).split(' ')
    expect([replaced.length, replaced.at(-1)]).toEqual([20, toDisplayHex(txid(58))])
    tell({ type: 'submitted', txid: txid(58) })
    operation = await refreshRedemption(operating(), operation)
    expect(String(textFact(operation, 'replacedTxids'))).not.toContain(toDisplayHex(txid(58)))
    expect(isOpen(operation)).toBe(true)
  })
})
