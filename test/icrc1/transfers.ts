/** The groups of ICRC-1: transfers, burns, metadata, deduplication, fees, times and memos. */
import {
  accepted,
  expectBalance,
  expectEqual,
  expectError,
  refused,
  Unmet,
  words,
} from './checks.ts'
import type { MetadataValue, Party, TransferArg } from './ledger.ts'
import { some } from './ledger.ts'
import type { Outcome, World } from './world.ts'
import { passed } from './world.ts'

const AMOUNT = 10_000n
/** The standard has every ledger take so many bytes. */
const MEMO_SIZE = 32
const TIME_MAX = 2n ** 64n - 1n

/** A transfer moves its amount and costs the fee; no subaccount is the subaccount of zeros. */
export async function transfer(world: World): Promise<Outcome> {
  const { fee, funded } = world
  const sender = await world.holding(AMOUNT + fee)
  const receiver = await world.fresh()
  const before = await funded.reads.icrc1_balance_of(receiver.account)
  await accepted('a transfer', sender.transfer({ to: receiver.account, amount: AMOUNT }))
  await expectBalance(funded, receiver.account, before + AMOUNT, 'the receiver')
  await expectBalance(funded, receiver.subaccount(0), before + AMOUNT, 'the receiver, by zeros')
  await expectBalance(funded, sender.account, 0n, 'the sender')
  return passed
}

/** What is sent to the minting account is gone. */
export async function burn(world: World): Promise<Outcome> {
  const [minting] = await world.funded.reads.icrc1_minting_account()
  if (minting === undefined) return { type: 'skipped', reason: 'the ledger has no minting account' }
  await expectBalance(world.funded, minting, 0n, 'the minting account')
  const holder = await world.holding(AMOUNT)
  await accepted('a burn', holder.transfer({ to: minting, amount: AMOUNT }))
  await expectBalance(world.funded, holder.account, 0n, 'who burnt everything')
  await expectBalance(world.funded, minting, 0n, 'the minting account')
  return passed
}

/** No key stands twice, and what the entries say the methods say. */
export async function metadata({ funded: { queries } }: World): Promise<Outcome> {
  const entries = await queries.icrc1_metadata()
  const found = new Map<string, MetadataValue>()
  for (const [key, value] of entries) {
    if (found.has(key)) throw new Unmet(`the key ${words(key)} stands twice`)
    found.set(key, value)
  }
  const expected: Readonly<Record<string, () => Promise<MetadataValue>>> = {
    'icrc1:name': async () => ({ Text: await queries.icrc1_name() }),
    'icrc1:symbol': async () => ({ Text: await queries.icrc1_symbol() }),
    'icrc1:decimals': async () => ({ Nat: BigInt(await queries.icrc1_decimals()) }),
    'icrc1:fee': async () => ({ Nat: await queries.icrc1_fee() }),
  }
  for (const [key, ask] of Object.entries(expected)) {
    const entry = found.get(key)
    if (entry !== undefined) expectEqual(`the entry ${key}`, entry, await ask())
  }
  return passed
}

async function expectStandards(world: World, ...names: readonly string[]): Promise<Outcome> {
  const standards = await world.funded.queries.icrc1_supported_standards()
  const listed = standards.map(({ name }) => name)
  const missing = names.filter((name) => !listed.includes(name))
  if (missing.length > 0)
    throw new Unmet(`the ledger claims ${words(listed)}, and not ${missing.join(', ')}`)
  return passed
}

export const supportedStandards = (world: World) => expectStandards(world, 'ICRC-1')
/** Who claims ICRC-2 claims ICRC-1. */
export const supportedAllowances = (world: World) => expectStandards(world, 'ICRC-1', 'ICRC-2')

/** With a time the same transfer is done once; another fee, memo or subaccount makes it another. */
export async function txDeduplication(world: World): Promise<Outcome> {
  const sender = await world.holding(7n * (AMOUNT + world.fee))
  const receiver = await world.fresh()
  const to = receiver.account
  let received = 0n
  type Change = Partial<TransferArg>
  async function done(what: string, change: Change): Promise<bigint> {
    const index = await accepted(what, sender.transfer({ to, amount: AMOUNT, ...change }))
    received += AMOUNT
    await expectBalance(world.funded, to, received, `the receiver after ${what}`)
    return index
  }
  async function again(what: string, change: Change, duplicate_of: bigint): Promise<void> {
    const asking = sender.transfer({ to, amount: AMOUNT, ...change })
    await expectError(`${what}, again`, ['Duplicate', { duplicate_of }], asking)
    await expectBalance(world.funded, to, received, `the receiver after ${what}, again`)
  }

  await done('a transfer without a time', {})
  await done('the same transfer without a time', {})
  const timed = { created_at_time: some(world.now) }
  const first = await doneUnlessTooOld(sender, { to, amount: AMOUNT, ...timed })
  if (first === undefined)
    return {
      type: 'skipped',
      reason: 'the ledger takes no created_at_time: nothing is deduplicated',
    }
  received += AMOUNT
  await expectBalance(world.funded, to, received, 'the receiver after a transfer with a time')
  await again('a transfer with a time', timed, first)
  const paid = { ...timed, fee: some(world.fee) }
  const second = await done('a transfer that gives the fee', paid)
  await again('a transfer that gives the fee', paid, second)
  const noted = { ...paid, memo: some(Uint8Array.of(1, 2, 3)) }
  const third = await done('a transfer with a memo', noted)
  await again('a transfer with a memo', noted, third)
  if (new Set([first, second, third]).size !== 3)
    throw new Unmet(`three transfers have the indices ${words([first, second, third])}`)

  const same = { created_at_time: some(world.now), memo: some(Uint8Array.of(0)) }
  await done('a transfer to no subaccount', same)
  await done('the same transfer to the subaccount of zeros', {
    ...same,
    to: receiver.subaccount(0),
  })
  return passed
}

async function doneUnlessTooOld(
  sender: Party,
  arg: Parameters<Party['transfer']>[0],
): Promise<bigint | undefined> {
  const result = await sender.transfer(arg)
  if ('Err' in result && Object.hasOwn(result.Err, 'TooOld')) return undefined
  return accepted('a transfer with a time', Promise.resolve(result))
}

/** Who asks for an amount, is refused, and has lost nothing. */
async function refusing(
  world: World,
  change: Partial<TransferArg>,
  judge: (asking: ReturnType<Party['transfer']>) => Promise<unknown>,
): Promise<Outcome> {
  const held = AMOUNT + world.fee
  const sender = await world.holding(held)
  const receiver = await world.fresh()
  await judge(sender.transfer({ to: receiver.account, amount: AMOUNT, ...change }))
  await expectBalance(world.funded, sender.account, held, 'who was refused')
  await expectBalance(world.funded, receiver.account, 0n, 'who was not paid')
  return passed
}

export const badFee = (world: World): Promise<Outcome> =>
  refusing(world, { fee: some(world.fee + 1n) }, (asking) =>
    expectError('a fee too high by 1', ['BadFee', { expected_fee: world.fee }], asking),
  )

export const futureTransfers = (world: World): Promise<Outcome> =>
  refusing(world, { created_at_time: some(TIME_MAX) }, (asking) =>
    refused('a transfer of the last time there is', 'CreatedInFuture', asking),
  )

export async function memoBytesLength(world: World): Promise<Outcome> {
  const sender = await world.holding(AMOUNT + world.fee)
  const receiver = await world.fresh()
  const memo = some(new Uint8Array(MEMO_SIZE).fill(1))
  const asking = sender.transfer({ to: receiver.account, amount: AMOUNT, memo })
  await accepted(`a memo of ${MEMO_SIZE} bytes`, asking)
  await expectBalance(world.funded, receiver.account, AMOUNT, 'the receiver')
  return passed
}
