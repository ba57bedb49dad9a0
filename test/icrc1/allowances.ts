/** The groups of ICRC-2: approvals, what ends or changes them, and transfers by somebody else. */
import { accepted, expectAllowance, expectBalance, expectError, refused } from './checks.ts'
import type { ApproveArgs, Party } from './ledger.ts'
import { none, some } from './ledger.ts'
import type { Outcome, World } from './world.ts'
import { passed } from './world.ts'

const TIME_MAX = 2n ** 64n - 1n

async function expectBalances(
  { funded }: World,
  ...expected: readonly (readonly [whose: string, party: Party, balance: bigint])[]
): Promise<void> {
  for (const [whose, { account }, balance] of expected)
    await expectBalance(funded, account, balance, whose)
}

/** An approval is for one account, moves nothing, and costs a fee that one must have. */
export async function approve(world: World): Promise<Outcome> {
  const { fee, unit } = world
  const left = fee === 0n ? 1n : 0n // Who holds nothing may be refused even what costs nothing.
  const owner = await world.holding(2n * fee + left)
  const spender = await world.fresh()
  const other = spender.subaccount(1)
  const grant = (change: Partial<ApproveArgs>) =>
    owner.approve({ spender: spender.account, amount: unit, ...change })

  await accepted('an approval', grant({}))
  await expectAllowance(owner, spender.account, { allowance: unit })
  await expectAllowance(owner, other, { allowance: 0n })
  await expectBalances(world, ['the owner', owner, fee + left], ['the spender', spender, 0n])

  await accepted('an approval of a subaccount', grant({ spender: other, amount: 2n * unit }))
  await expectAllowance(owner, spender.account, { allowance: unit })
  await expectAllowance(owner, other, { allowance: 2n * unit })
  await expectBalances(world, ['the owner', owner, left], ['the spender', spender, 0n])
  await expectBalance(world.funded, other, 0n, "the spender's subaccount")

  if (fee === 0n) return passed // Then nobody is too poor for it.
  const asking = grant({ amount: 3n * unit })
  await expectError('an approval without its fee', ['InsufficientFunds', { balance: 0n }], asking)
  await expectAllowance(owner, spender.account, { allowance: unit })
  return passed
}

/** What is over is refused; the last time there is, and the one before it, are kept as given. */
export async function approveExpiration(world: World): Promise<Outcome> {
  const { fee, unit } = world
  const held = 2n * fee + 1n
  const owner = await world.holding(held)
  const spender = await world.fresh()
  const grant = (expires_at: bigint) =>
    owner.approve({ spender: spender.account, amount: unit, expires_at: some(expires_at) })

  await refused('an approval that is over', 'Expired', grant(world.now - 1_000_000_000n))
  await expectAllowance(owner, spender.account, { allowance: 0n })
  await expectBalances(world, ['the owner', owner, held], ['the spender', spender, 0n])

  for (const [turn, expiry] of [TIME_MAX, TIME_MAX - 1n].entries()) {
    await accepted('an approval that ends', grant(expiry))
    await expectAllowance(owner, spender.account, { allowance: unit, expiresAt: some(expiry) })
    const left = held - BigInt(turn + 1) * fee
    await expectBalances(world, ['the owner', owner, left], ['the spender', spender, 0n])
  }
  return passed
}

/** An approval that expects another allowance than there is changes nothing. */
export async function approveExpectedAllowance(world: World): Promise<Outcome> {
  const { fee, unit } = world
  const owner = await world.holding(2n * fee + 1n)
  const spender = await world.fresh()
  const grant = (amount: bigint, expected_allowance: ApproveArgs['expected_allowance'] = none) =>
    owner.approve({ spender: spender.account, amount, expected_allowance })

  await accepted('an approval', grant(unit))
  await expectError(
    'an approval that expects another allowance',
    ['AllowanceChanged', { current_allowance: unit }],
    grant(2n * unit, some(2n * unit)),
  )
  await expectAllowance(owner, spender.account, { allowance: unit })
  await accepted('an approval that expects what there is', grant(2n * unit, some(unit)))
  await expectAllowance(owner, spender.account, { allowance: 2n * unit })
  await expectBalances(world, ['the owner', owner, 1n], ['the spender', spender, 0n])
  return passed
}

/** The owner pays amount and fee, and the allowance pays both too. */
export async function transferFrom(world: World): Promise<Outcome> {
  const { fee, unit } = world
  const held = 2n * unit + 2n * fee
  const owner = await world.holding(held)
  const [spender, receiver] = [await world.fresh(), await world.fresh()]
  await accepted('an approval', owner.approve({ spender: spender.account, amount: unit + fee }))
  const amount = unit - 1n
  const asking = spender.transferFrom({ from: owner.account, to: receiver.account, amount })
  await accepted('a transfer from an approved account', asking)
  await expectBalances(
    world,
    ['the owner', owner, held - 2n * fee - amount],
    ['the spender', spender, 0n],
    ['the receiver', receiver, amount],
  )
  await expectAllowance(owner, spender.account, { allowance: 1n })
  return passed
}

/** An allowance is no money: 1 less than amount and fee is too little, and both stay as they were. */
export async function transferFromInsufficientFunds(world: World): Promise<Outcome> {
  const { fee, unit } = world
  const left = unit + fee - 1n
  const owner = await world.holding(left + fee)
  const [spender, receiver] = [await world.fresh(), await world.fresh()]
  const amount = unit + fee
  await accepted('an approval', owner.approve({ spender: spender.account, amount }))
  await expectError(
    'a transfer of more than the owner has',
    ['InsufficientFunds', { balance: left }],
    spender.transferFrom({ from: owner.account, to: receiver.account, amount: unit }),
  )
  await expectBalances(
    world,
    ['the owner', owner, left],
    ['the spender', spender, 0n],
    ['the receiver', receiver, 0n],
  )
  await expectAllowance(owner, spender.account, { allowance: amount })
  return passed
}

export async function transferFromInsufficientAllowance(world: World): Promise<Outcome> {
  const { fee, unit } = world
  const owner = await world.holding(unit + fee)
  const [spender, receiver] = [await world.fresh(), await world.fresh()]
  await expectError(
    'a transfer that nobody approved',
    ['InsufficientAllowance', { allowance: 0n }],
    spender.transferFrom({ from: owner.account, to: receiver.account, amount: unit }),
  )
  await expectBalances(
    world,
    ['the owner', owner, unit + fee],
    ['the spender', spender, 0n],
    ['the receiver', receiver, 0n],
  )
  return passed
}

/** Who spends the own account needs nobody's approval. */
export async function transferFromSelf(world: World): Promise<Outcome> {
  const { fee, unit } = world
  const owner = await world.holding(unit + fee)
  const receiver = await world.fresh()
  const asking = owner.transferFrom({ from: owner.account, to: receiver.account, amount: unit })
  await accepted('a transfer from the own account', asking)
  await expectBalances(world, ['the owner', owner, 0n], ['the receiver', receiver, unit])
  return passed
}
