/** The steps of the demo, each with the check that makes it true. Implements cli §5.1. */
import { fromDisplayHex, hash32, toDisplayHex } from '../../core/base/bytes.ts'
import { CheckFailed, present } from '../../core/base/errors.ts'
import { parseBtc, sat } from '../../core/base/units.ts'
import { systemClock } from '../../host/clock.ts'
import type { LocalSubnet } from '../../host/local-subnet.ts'
import type { Canisters } from '../../wallet/canisters.ts'
import { devUser } from '../../wallet/identity.ts'
import { regtestWallet } from '../../wallet/regtest-wallet.ts'
import { verifyReserves } from '../../wallet/reserves.ts'
import type { Stage } from './stage.ts'
import { awaited, waitFor } from './stage.ts'
import type { DemoStep, DemoStepName } from './types.ts'

const DEPOSIT = parseBtc('0.5')
const TRANSFER = parseBtc('0.1')
const REDEMPTION = parseBtc('0.2')
const FEE_RATE_SAT_PER_VB = 5n
/** The first coinbase may be spent once 100 blocks are on top of it. */
const FIRST_BLOCKS = 101

type Done<N extends DemoStepName> = Extract<DemoStep, { name: N }>

/** The payer has an ordinary key, of no concern to the subnet. */
export function mineFirstCoins({ local: { bitcoin } }: Stage): void {
  bitcoin.mine(FIRST_BLOCKS, regtestWallet('payer').script)
}

export async function requestAddress(
  canisters: Canisters,
  account: Parameters<Canisters['depositAddress']>[0],
  stage: Stage,
): Promise<Done<'deposit-address'>> {
  // The minter learns its key in the slot after the subnet has made it.
  const { address, derived } = await awaited(stage, canisters.depositAddress(account))
  expectSame('the deposit address', { found: address, expected: derived })
  return { name: 'deposit-address', ok: true, ms: stage.elapsedMs(), address }
}

export async function depositBitcoin(
  stage: Stage,
  canisters: Canisters,
  address: string,
): Promise<Done<'deposit'>> {
  const { bitcoin } = stage.local
  const payer = regtestWallet('payer')
  const utxos = bitcoin.matureCoins(payer.script)
  const payment = payer.pay({
    utxos,
    to: address,
    amount: DEPOSIT,
    feeRateSatPerVb: FEE_RATE_SAT_PER_VB,
  })
  if (payment.type !== 'signed')
    throw new CheckFailed('the payment', { found: payment.type, expected: 'a signed transaction' })
  const submitted = bitcoin.submit(payment.bytes)
  expectSame('the Bitcoin node', { found: submitted.type, expected: 'accepted' })
  const confirmations = await confirm(stage, canisters, 'deposit')
  const txid = toDisplayHex(payment.txid)
  return {
    name: 'deposit',
    ok: true,
    ms: stage.elapsedMs(),
    amountSat: DEPOSIT,
    txid,
    confirmations,
  }
}

/**
 * Mines as many blocks as the minter asks for, one by one, and waits until the subnet has seen the
 * last.
 */
async function confirm(
  stage: Stage,
  canisters: Canisters,
  name: 'deposit' | 'redeem',
): Promise<number> {
  const { minConfirmations } = await awaited(stage, canisters.minterInfo())
  const { bitcoin } = stage.local
  for (let depth = 1; depth <= minConfirmations; depth++) {
    bitcoin.mine(1, regtestWallet('payer').script)
    const text = `${depth}/${minConfirmations} confirmations`
    stage.observe({ type: 'step-progress', name, text })
    await waitFor(stage, () => stage.local.bitcoinHeight >= bitcoin.height || undefined)
  }
  return minConfirmations
}

/** The minter finds the deposit by itself: nobody calls `update_balance`. */
export async function waitForMint(
  stage: Stage,
  canisters: Canisters,
  { txid }: Done<'deposit'>,
): Promise<Done<'mint'>> {
  const id = fromDisplayHex(txid)
  const paid = present(stage.local.bitcoin.transaction(hash32(id)), 'the deposit is on the chain')
  const vout = paid.transaction.outputs.findIndex(({ value }) => value === DEPOSIT)
  const outpoint = { txid: hash32(id), vout }
  const mint = await waitFor(stage, () => canisters.mintOf(outpoint))
  const { checkFee } = await awaited(stage, canisters.minterInfo())
  const balance = await awaited(stage, canisters.balanceOf({ owner: devUser(0).principal }))
  expectSame('the balance after minting', { found: balance, expected: DEPOSIT - checkFee })
  expectSame('the amount minted', { found: mint.amount, expected: DEPOSIT - checkFee })
  const { blockIndex } = mint
  return {
    name: 'mint',
    ok: true,
    ms: stage.elapsedMs(),
    amountSat: sat(mint.amount),
    feeSat: sat(checkFee),
    blockIndex,
  }
}

export async function transfer(stage: Stage, canisters: Canisters): Promise<Done<'transfer'>> {
  const fee = await awaited(stage, canisters.transferFee())
  const to = { owner: devUser(1).principal }
  const sending = canisters.transfer({ to, amount: TRANSFER, createdAtTime: systemClock() })
  const blockIndex = await awaited(stage, sending)
  const balance = await awaited(stage, canisters.balanceOf(to))
  expectSame('the balance of dev1', { found: balance, expected: TRANSFER })
  const facts = { amountSat: TRANSFER, feeSat: sat(fee), to: 'dev1', blockIndex }
  return { name: 'transfer', ok: true, ms: stage.elapsedMs(), ...facts }
}

export async function redeem(stage: Stage, canisters: Canisters): Promise<Done<'redeem'>> {
  const say = (text: string): void => stage.observe({ type: 'step-progress', name: 'redeem', text })
  const recipient = regtestWallet('recipient')
  say('burning 0.2 ckBTC')
  await waitFor(stage, () => stage.local.subnet.canProgress || undefined)
  const burning = canisters.redeem({
    address: recipient.address,
    amount: REDEMPTION,
    now: systemClock(),
  })
  const blockIndex = await awaited(stage, burning)
  say('in the queue, then signed by the nodes together')
  const txid = await waitFor(stage, async () => {
    const status = await canisters.redemptionStatus(blockIndex)
    return status.type === 'submitted' ? hash32(status.txid) : undefined
  })
  say('on its way to the Bitcoin node')
  const { bitcoin } = stage.local
  const paid = await waitFor(stage, () => bitcoin.transaction(txid))
  const confirmations = await confirm(stage, canisters, 'redeem')
  await waitFor(stage, async () => {
    const status = await canisters.redemptionStatus(blockIndex)
    return status.type === 'confirmed' || undefined
  })
  const arrived = paid.transaction.outputs.find(
    ({ script }) => toDisplayHex(script) === toDisplayHex(recipient.script),
  )
  return {
    name: 'redeem',
    ok: true,
    ms: stage.elapsedMs(),
    amountSat: REDEMPTION,
    receivedSat: present(arrived, 'the transaction pays the recipient').value,
    txid: toDisplayHex(txid),
    confirmations,
    signedBy: signersOf(stage.local),
    blockIndex,
  }
}

/** Ids from 1 of the nodes whose shares made the last signature. */
const signersOf = ({ signers }: LocalSubnet): readonly number[] =>
  (signers.at(-1) ?? []).map((node) => node + 1).toSorted((a, b) => a - b)

export async function checkReserves(stage: Stage, canisters: Canisters): Promise<Done<'reserves'>> {
  const { bitcoin } = stage.local
  const source = {
    output: async (outpoint: Parameters<typeof bitcoin.output>[0]) => bitcoin.output(outpoint),
    height: async () => bitcoin.height,
  }
  const report = await awaited(stage, verifyReserves(canisters.client, source))
  const { verdict, surplusSat } = report
  return {
    name: 'reserves',
    ok: verdict === 'backed',
    ms: stage.elapsedMs(),
    reservesSat: sat(report.reservesSat),
    supplySat: sat(report.supplySat),
    owedSat: sat(report.owedSat),
    verdict,
    surplusSat,
  }
}

function expectSame<T>(
  check: string,
  { found, expected }: { readonly found: T; readonly expected: T },
): void {
  if (found !== expected)
    throw new CheckFailed(check, { found: String(found), expected: String(expected) })
}
