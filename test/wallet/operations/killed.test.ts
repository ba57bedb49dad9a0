/**
 * Goal: a process that is killed, or whose disk is full, at any point of an operation has moved the
 * value once or not at all, and another process finishes it.
 * Method: cli §§3.10, 3.11; the operations on a network in memory. Each write of the journal and each
 * call dies once before it happens and once after it; nothing of that process happens from then on.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Problem } from '../../../src/core/base/errors.ts'
import { Client } from '../../../src/wallet/client.ts'
import { Journal } from '../../../src/wallet/operations/journal.ts'
import type { Operating } from '../../../src/wallet/operations/operating.ts'
import { planRedemption, redeem, resumeRedemption } from '../../../src/wallet/operations/redeem.ts'
import {
  goOnWithTransfer,
  planTransfer,
  transfer,
} from '../../../src/wallet/operations/transfer.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { dev0, dev1, SpendingDesks } from '../../support/spending-desks.ts'

const desks = new SpendingDesks()
const recipient = regtestWallet('recipient').address
const account = { owner: dev0.principal }
let folder = ''
/** No two attempts move the same amount, so that blocks can be counted. */
let amount = 1_000_000n

beforeAll(() => desks.fund())
afterAll(() => desks.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ckbtc-killed-'))
  amount += 1n
  // The minter spends its change again.
  desks.net.mine(6)
  return () => rmSync(folder, { recursive: true })
})

/** In CBOR. */
const EMPTY_MAP = new Uint8Array([0xa0])

const killed = (): Problem => new Problem('HOST_DISK', 'no space left', { fix: 'make some' })

type Death = {
  readonly of: 'write' | 'call'
  readonly place: number
  readonly when: 'before' | 'after'
}

/** A process up to its death. */
class Process {
  readonly #death: Death | undefined
  readonly #count = { write: 0, call: 0 }
  isDead = false

  constructor(death?: Death) {
    this.#death = death
  }

  step<T>(of: Death['of'], act: () => T): T {
    const { place, when } = this.#death?.of === of ? this.#death : { place: -1, when: 'before' }
    const isNow = this.#count[of]++ === place
    if (this.isDead || (isNow && when === 'before')) {
      this.isDead = true
      throw killed()
    }
    const result = act()
    if (isNow) {
      this.isDead = true
      throw killed()
    }
    return result
  }

  async call<T>(act: () => Promise<T>): Promise<T> {
    let result: Promise<T> | undefined
    try {
      return await this.step('call', () => {
        result = act()
        return result
      })
    } catch (error) {
      await result
      throw error
    }
  }

  operating(): Operating {
    const { net } = desks
    const fetch: typeof globalThis.fetch = async (input, init) => {
      if (new Request(input, init).url.endsWith('/call'))
        return this.call(() => net.fetch(input, init))
      // Nothing that could be believed: the dead are not patient.
      return this.isDead ? new Response(EMPTY_MAP) : net.fetch(input, init)
    }
    const journal = new DyingJournal(this)
    const client = new Client({ network: net.network, fetch, signer: dev0 })
    return { client, journal, key: 'dev0', account, signal: new AbortController().signal }
  }
}

class DyingJournal extends Journal {
  readonly #process: Process

  constructor(process: Process) {
    super({
      path: join(folder, 'operations.jsonl'),
      entropy: (size) => crypto.getRandomValues(new Uint8Array(size)),
      nowMs: Date.now,
    })
    this.#process = process
  }

  override begin(...args: Parameters<Journal['begin']>) {
    return this.#process.step('write', () => super.begin(...args))
  }

  override update(...args: Parameters<Journal['update']>) {
    return this.#process.step('write', () => super.update(...args))
  }
}

const deaths = (writes: number, calls: number): readonly Death[] =>
  (['before', 'after'] as const).flatMap((when) => [
    ...Array.from({ length: writes }, (_, place) => ({ of: 'write', place, when }) as const),
    ...Array.from({ length: calls }, (_, place) => ({ of: 'call', place, when }) as const),
  ])

const blocksOf = async (type: 'burn' | 'transfer'): Promise<number> =>
  (await desks.reader.blocks.all()).filter(
    ({ transaction }) => transaction.type === type && transaction.amount === amount,
  ).length

/** What is unknown is looked at again when nothing of it can be executed any more. */
async function finish(goOn: (operating: Operating) => Promise<unknown>): Promise<void> {
  const operating = new Process().operating()
  await goOn(operating).catch((error: unknown) => {
    if (!(error instanceof Problem) || error.code !== 'OPERATION_UNKNOWN') throw error
    for (const { id } of operating.journal.all())
      operating.journal.update(id, { facts: { burn_requestExpiresAtNs: '1' } })
    return goOn(operating)
  })
}

describe('a redemption', () => {
  const begin = async (operating: Operating): Promise<void> => {
    const wanted = { from: account, to: recipient, amount }
    await redeem(operating, await planRedemption(operating.client, wanted))
  }

  test('writes and calls as often as is tried below', async () => {
    const last = new Process({ of: 'write', place: 6, when: 'before' })
    await begin(last.operating())
    expect(last.isDead).toBe(false)
    const before = new Process({ of: 'write', place: 5, when: 'before' })
    await expect(begin(before.operating())).rejects.toThrow()
  })

  test.each(deaths(6, 2))('that dies $when $of $place is burned once', async (death) => {
    const process = new Process(death)
    await expect(begin(process.operating())).rejects.toThrow()
    expect(process.isDead).toBe(true)
    const [operation] = new Process().operating().journal.all()
    if (operation === undefined) return expect(await blocksOf('burn')).toBe(0)
    await finish((operating) => resumeRedemption(operating, operation))
    expect(await blocksOf('burn')).toBe(1)
    const spender = { owner: desks.net.network.ids.minter }
    const { allowance } = await desks.reader.ledger.allowance({ owner: account, spender })
    expect(allowance).toBe(0n)
  })
})

describe('a transfer', () => {
  const begin = async (operating: Operating): Promise<void> => {
    const wanted = { from: account, to: { owner: dev1.principal }, amount }
    await transfer(operating, await planTransfer(operating.client, wanted))
  }

  test.each([
    ['plan', 0, 'HOST_DISK'],
    ['id of the call', 1, 'HOST_DISK'],
    ['outcome', 2, 'OPERATION_UNKNOWN'],
  ])('whose %s cannot be written says whether it was sent', async (_, place, code) => {
    const process = new Process({ of: 'write', place, when: 'before' })
    await expect(begin(process.operating())).rejects.toThrow(expect.objectContaining({ code }))
    expect(await blocksOf('transfer')).toBe(code === 'OPERATION_UNKNOWN' ? 1 : 0)
  })

  test.each(deaths(3, 1))('that dies $when $of $place is paid once', async (death) => {
    const process = new Process(death)
    await expect(begin(process.operating())).rejects.toThrow()
    expect(process.isDead).toBe(true)
    const [operation] = new Process().operating().journal.all()
    if (operation === undefined) return expect(await blocksOf('transfer')).toBe(0)
    await finish((operating) => goOnWithTransfer(operating, operation))
    expect(await blocksOf('transfer')).toBe(1)
  })
})
