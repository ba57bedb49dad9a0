/**
 * Goal: nothing is paid or burned twice, whatever fails and whoever else is at work.
 * Method: cli §§3.10, 3.11; a network in memory with the real canisters, and the journal on disk.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { redeem } from '../../src/commands/redeem.ts'
import { resume } from '../../src/commands/resume.ts'
import { status } from '../../src/commands/status.ts'
import { transfer } from '../../src/commands/transfer.ts'
import { encodeArgs } from '../../src/core/ic/candid.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { repeated } from '../../src/wallet/operations/operating.ts'
import type { CommandDesk } from '../support/command-desk.ts'
import {
  dev0,
  dev1,
  FEE,
  fact,
  redeeming,
  SpendingDesks,
  send,
  until,
} from '../support/spending-desks.ts'

const desks = new SpendingDesks()

beforeAll(() => desks.fund())
afterAll(() => desks.close())

const nobody = { account: { owner: dev0.principal }, signal: new AbortController().signal }

/** Nobody listens at the address of the network. */
const unplug = (desk: CommandDesk): void => {
  desk.fetch = async () => {
    throw new TypeError('fetch failed', {
      cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    })
  }
}

/** Calls find nobody, everything else passes. */
const unplugCalls = (desk: CommandDesk): void => {
  const { fetch } = desks.net
  desk.fetch = async (input, init) => {
    if (!new Request(input, init).url.endsWith('/call')) return fetch(input, init)
    throw new TypeError('fetch failed', {
      cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    })
  }
}

/** The node that is asked has no blocks, or says so. */
const hideBlocks = (): void => {
  const method = ledgerInterface.icrc3_get_blocks.result
  const nothing = { logLength: 0n, blocks: [], archivedBlocks: [] }
  const arg = encodeArgs([method], [nothing])
  desks.net.answers.set('icrc3_get_blocks', { type: 'replied', arg })
}

describe('a transfer that was executed and whose answer was lost', () => {
  const lost = async (amount: string, idempotencyKey?: string) => {
    const desk = desks.open()
    desks.lose(desk, 'answer')
    const { error } = await desk.json(transfer, send(amount, { idempotencyKey }))
    expect(error.code).toBe('OPERATION_UNKNOWN')
    desks.mend(desk)
    return { desk, op: String(error.details.op) }
  }

  test('is not forgotten when its repetition finds nobody', async () => {
    const before = await desks.balanceOf(dev1)
    const { desk, op } = await lost('501sat', 'k-1')
    unplugCalls(desk)
    await desk.json(transfer, send('501sat', { idempotencyKey: 'k-1' }))
    expect(desk.journal.get(op).state).toBe('unknown')
    desks.mend(desk)
    const { data } = await desk.json(transfer, send('501sat', { idempotencyKey: 'k-1' }))
    expect(data).toMatchObject({ op, deduplicated: true })
    expect(await desks.balanceOf(dev1)).toBe(before + 501n)
  })

  test('is not forgotten when its repetition is refused', async () => {
    const before = await desks.balanceOf(dev1)
    const { desk, op } = await lost('502sat', 'k-2')
    // As if the ledger had another fee by now: it looks at fees before duplicates.
    desk.journal.update(op, { facts: { feeSat: '11' } })
    await desk.json(transfer, send('502sat', { idempotencyKey: 'k-2' }))
    await desk.json(transfer, send('502sat', { idempotencyKey: 'k-2' }))
    expect((await desk.json(status, { args: [op] })).data.operations).toMatchObject([
      { op, state: 'done' },
    ])
    expect(await desks.balanceOf(dev1)).toBe(before + 502n)
  })

  test('is found where a node hides it', async () => {
    const { desk, op } = await lost('504sat')
    desk.journal.update(op, { facts: { requestExpiresAtNs: '1' } })
    hideBlocks()
    const { data } = await desk.json(status, { args: [op] })
    desks.net.answers.clear()
    expect(data.operations).toMatchObject([{ op, state: 'done' }])
  })

  test('that is left out by the whole network was never executed', async () => {
    const desk = desks.open()
    desks.lose(desk, 'request')
    const { error } = await desk.json(transfer, send('505sat'))
    desks.mend(desk)
    const op = String(error.details.op)
    desk.journal.update(op, { facts: { requestExpiresAtNs: '1' } })
    const { data } = await desk.json(status, { args: [op] })
    expect(data.operations).toMatchObject([{ op, state: 'cancelled' }])
  })

  test('is sent anew by its key once it is proven that it was not and is too old to be', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev1)
    const typed = send('506sat', { idempotencyKey: 'k-8' })
    desks.lose(desk, 'request')
    const { error } = await desk.json(transfer, typed)
    desks.mend(desk)
    const op = String(error.details.op)
    // Of the day before yesterday; its expiry first still to come, then over.
    const old = { createdAtNs: String(BigInt(Date.now() - 172_800_000) * 1_000_000n) }
    desk.journal.update(op, { facts: old })
    expect((await desk.json(transfer, typed)).error.code).toBe('OPERATION_UNKNOWN')
    desk.journal.update(op, { facts: { requestExpiresAtNs: '1' } })
    const { data } = await desk.json(transfer, typed)
    expect([data.op === op, desk.journal.get(op).state]).toEqual([false, 'cancelled'])
    expect((await desk.json(transfer, typed)).data.block_index).toBe(data.block_index)
    expect(await desks.balanceOf(dev1)).toBe(before + 506n)
  })

  test('is left alone by status on another network', async () => {
    const { desk, op } = await lost('503sat')
    const elsewhere = desk.journal.begin({
      ...desk.journal.get(op),
      network: 'testnet4',
    })
    desk.journal.update(elsewhere.id, { state: 'unknown' })
    const { error } = await desk.json(status, { args: [elsewhere.id] })
    expect(error).toMatchObject({
      code: 'USAGE_INVALID',
      hint: expect.stringContaining('testnet4'),
    })
    expect(desk.journal.get(elsewhere.id).state).toBe('unknown')
  })
})

describe('one idempotency key in two processes at once', () => {
  test('is one transfer', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev1)
    const typed = send('601sat', { idempotencyKey: 'k-3' })
    const [one, other] = await Promise.all([desk.json(transfer, typed), desk.json(transfer, typed)])
    expect([one.ok, other.ok]).toEqual([true, true])
    expect(one.data.block_index).toBe(other.data.block_index)
    expect(await desks.balanceOf(dev1)).toBe(before + 601n)
  })

  test('is no repetition of itself', async () => {
    const desk = desks.open()
    const typed = send('603sat', { idempotencyKey: 'k-7' })
    const gate = desks.hold(desk)
    const first = desk.json(transfer, typed)
    await gate.reached(() => desk.journal.all()[0])
    const context = { key: 'dev0', journal: desk.journal, client: desks.reader }
    const [made] = desk.journal.all()
    const same = { kind: 'transfer', facts: { to: fact(made, 'to') } } as const
    const nowMs = Date.now()
    expect(repeated({ ...nobody, ...context }, same, { nowMs })?.id).toBe(made?.id)
    const named = { nowMs, idempotencyKey: 'k-7' }
    expect(repeated({ ...nobody, ...context }, same, named)).toBeUndefined()
    gate.open()
    expect((await first).ok).toBe(true)
  })

  test('is one redemption', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    const typed = redeeming('0.011ckbtc', { idempotencyKey: 'k-4' })
    const ran = await Promise.all([desk.json(redeem, typed), desk.json(redeem, typed)])
    expect(ran.some(({ ok }) => ok)).toBe(true)
    expect(await desks.balanceOf(dev0)).toBe(before - 1_100_000n - FEE)
  })
})

describe('a dry run with the idempotency key of something unfinished', () => {
  test('sends nothing of a transfer', async () => {
    const desk = desks.open()
    const typed = send('602sat', { idempotencyKey: 'k-5' })
    desks.lose(desk, 'request')
    await desk.json(transfer, typed)
    desks.mend(desk)
    const before = await desks.balanceOf(dev1)
    const { schema } = await desk.json(transfer, send('602sat', { ...typed.options, dryRun: true }))
    expect([schema, await desks.balanceOf(dev1)]).toEqual(['ckbtc.transfer-plan.v1', before])
  })

  test('burns nothing of a redemption', async () => {
    const desk = desks.open()
    const typed = redeeming('0.0101ckbtc', { idempotencyKey: 'k-6' })
    desks.lose(desk, 'answer')
    await desk.json(redeem, typed)
    desks.mend(desk)
    const before = await desks.balanceOf(dev0)
    const dry = redeeming('0.0101ckbtc', { ...typed.options, dryRun: true })
    expect((await desk.json(redeem, dry)).schema).toBe('ckbtc.redeem-plan.v1')
    expect(await desks.balanceOf(dev0)).toBe(before)
  })
})

describe('a redemption', () => {
  const approvedOnly = async (amount: string) => {
    const desk = desks.open()
    desks.lose(desk, 'answer')
    const { error } = await desk.json(redeem, redeeming(amount))
    desks.mend(desk)
    const op = String(error.details.op)
    await desk.json(status, { args: [op] })
    return { desk, op }
  }

  test('that two processes resume at once is burned once', async () => {
    const before = await desks.balanceOf(dev0)
    const { desk, op } = await approvedOnly('0.012ckbtc')
    const running = Promise.all([
      desk.run(resume, { args: [op] }),
      desk.run(resume, { args: [op] }),
    ])
    await desks.mineUntil(() => desk.journal.get(op).state === 'done')
    await running
    expect(before - (await desks.balanceOf(dev0))).toBe(1_200_000n + FEE)
    expect(desk.journal.get(op)).toMatchObject({ state: 'done' })
  })

  test('that is under way is not burned by a resume in between', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    const gate = desks.hold(desk)
    const first = desk.json(redeem, redeeming('0.014ckbtc'))
    const op = await gate.reached(() => desk.journal.all()[0]?.id)
    desks.mend(desk)
    let isOver = false
    const second = desk.json(resume, { args: [op] }).finally(() => {
      isOver = true
    })
    await until(() => isOver || fact(desk.journal.get(op), 'burnBlockIndex') !== '')
    gate.open()
    expect((await first).ok).toBe(true)
    expect(before - (await desks.balanceOf(dev0))).toBe(1_400_000n + FEE)
    desks.net.mine(6)
    expect((await second).error).toMatchObject({ code: 'HOST_STATE_LOCKED' })
    expect(desk.journal.get(op)).toMatchObject({ state: 'waiting' })
  }, 20_000)

  test('is not burned again where a node hides the burn', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    desks.lose(desk, undefined, 'answer')
    const { error } = await desk.json(redeem, redeeming('0.015ckbtc'))
    desks.mend(desk)
    const op = String(error.details.op)
    // Long ago, so that it cannot be executed any more.
    desk.journal.update(op, { facts: { burn_requestExpiresAtNs: '1' } })
    hideBlocks()
    let isOver = false
    const running = desk.json(resume, { args: [op] }).finally(() => {
      isOver = true
    })
    await until(() => isOver || fact(desk.journal.get(op), 'burnBlockIndex') !== '')
    desks.net.answers.clear()
    desks.net.mine(6)
    expect((await running).ok).toBe(true)
    expect(before - (await desks.balanceOf(dev0))).toBe(1_500_000n + FEE)
  })

  test('is found though another network has a burn of the same number', async () => {
    const desk = desks.open()
    const before = await desks.balanceOf(dev0)
    desks.lose(desk, undefined, 'answer')
    const { error } = await desk.json(redeem, redeeming('0.013ckbtc'))
    desks.mend(desk)
    const op = String(error.details.op)
    const length = await desks.reader.blocks.length()
    const other = desk.journal.begin({ ...desk.journal.get(op), network: 'testnet4' })
    desk.journal.update(other.id, {
      state: 'done',
      facts: { burnBlockIndex: String(length - 1n) },
    })
    const { error: open } = await desk.json(status, { args: [op] })
    expect(open).toMatchObject({ code: 'OPERATION_OPEN', details: { op, needs_action: false } })
    expect(fact(desk.journal.get(op), 'burnBlockIndex')).toBe(String(length - 1n))
    expect(await desks.balanceOf(dev0)).toBe(before - 1_300_000n - FEE)
  })
})

test('without a network nothing is written down as sent', async () => {
  const desk = desks.open()
  unplug(desk)
  const { error } = await desk.json(transfer, send('700sat'))
  expect([error.code, desk.journal.all()]).toEqual(['SUBNET_DOWN', []])
})
