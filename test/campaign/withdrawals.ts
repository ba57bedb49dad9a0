/**
 * `npm run campaign:withdrawals`: a thousand redemptions queued at once are batched, signed and
 * confirmed, none is lost and none fails; COUNT and NODES choose others. Source: minter §§8, 12, 13.
 */
import { stdout } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { directoriesOf } from '../../src/core/base/directories.ts'
import type { Payload } from '../../src/core/minter/events/events.ts'
import { Client } from '../../src/wallet/client.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { resolveNetwork } from '../../src/wallet/networks.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { Home } from '../support/e2e-home.ts'

const { COUNT: givenCount = '1000', NODES: nodes = '4' } = process.env
const COUNT = Number(givenCount)
/** Each has a subaccount of its own: the minter serves an account one call at a time. */
const PAYERS = Math.min(50, COUNT)
const EACH = Math.ceil(COUNT / PAYERS)
const AMOUNT = 60_000n
const LEDGER_FEE = 10n
/** Coins that the redemptions are paid from. */
const COINS = 20
const LOOK_MS = 500

const say = (text: string): boolean => stdout.write(`${text}\n`)
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

const home = new Home()
const owner = devUser(0)
const { address } = regtestWallet('recipient')
const wrong: string[] = []

async function clientOf(): Promise<Client> {
  const environment = { CKBTC_HOME: home.path }
  const directories = directoriesOf({ environment, home: home.path, platform: 'linux' })
  const network = await resolveNetwork('local', { directories, localUrl: undefined })
  return new Client({ network, signer: owner })
}

const subaccountOf = (payer: number): Uint8Array => {
  const subaccount = new Uint8Array(32)
  subaccount[31] = payer + 1
  return subaccount
}

/** Asks again while the minter or the ledger has no time. */
async function burn(client: Client, payer: number): Promise<bigint> {
  for (;;) {
    const args = { address, amount: AMOUNT, fromSubaccount: subaccountOf(payer) }
    const answer = await client.minter.retrieve(args)
    if (answer.type === 'ok') return answer.value.blockIndex
    if (answer.error.type !== 'alreadyProcessing' && answer.error.type !== 'temporarilyUnavailable')
      throw new RangeError(`a redemption was refused: ${answer.error.type}`)
    await pause(LOOK_MS)
  }
}

async function prepare(client: Client): Promise<void> {
  const needed = BigInt(COUNT) * AMOUNT + BigInt(PAYERS) * 10_000n + 2_000_000n
  const deposit = String(home.json('address').address)
  home.json(`bitcoin faucet ${needed}sat --to ${deposit} --outputs ${COINS}`)
  const account = { owner: owner.principal }
  while ((await client.ledger.balanceOf(account)) < needed - 10_000n) await pause(LOOK_MS)
  const spender = { owner: client.minter.id }
  const share = BigInt(EACH) * AMOUNT
  await Promise.all(
    Array.from({ length: PAYERS }, async (_, payer) => {
      const subaccount = subaccountOf(payer)
      await client.ledger.transfer({
        to: { owner: owner.principal, subaccount },
        amount: share + LEDGER_FEE,
        createdAtTime: await client.creationTime(),
      })
      await client.ledger.approve({
        fromSubaccount: subaccount,
        spender,
        amount: share,
        createdAtTime: await client.creationTime(),
      })
    }),
  )
}

async function queueAll(client: Client): Promise<readonly bigint[]> {
  const all = await Promise.all(
    Array.from({ length: PAYERS }, async (_, payer) => {
      const burns: bigint[] = []
      for (let i = 0; i < EACH && payer * EACH + i < COUNT; i++)
        burns.push(await burn(client, payer))
      return burns
    }),
  )
  return all.flat()
}

async function countOf(client: Client, type: Payload['type']): Promise<number> {
  return (await client.events()).filter(({ payload }) => payload.type === type).length
}

async function settled(client: Client): Promise<void> {
  for (;;) {
    const counts = (await client.views.info())?.counts
    if (counts !== undefined && counts.finalized >= COUNT) return
    await pause(LOOK_MS)
  }
}

async function play(): Promise<void> {
  const set = ['minter.min-pending-requests=10000', 'minter.max-time-in-queue=12h']
  const settings = set.map((one) => `--set ${one}`).join(' ')
  const started = home.run(`subnet start --nodes ${nodes} --min-confirmations 1 ${settings}`)
  if (started.exit !== 0) throw new RangeError(started.err)
  const client = await clientOf()
  await prepare(client)
  const queuedAt = performance.now()
  const burns = await queueAll(client)
  say(`${burns.length} redemptions queued in ${seconds(performance.now() - queuedAt)}`)
  const startedAt = performance.now()
  home.json('subnet set minter.min-pending-requests=20 minter.max-time-in-queue=1s')
  await settled(client)
  const took = performance.now() - startedAt
  say(`paid in ${seconds(took)}, ${(COUNT / (took / 1_000)).toFixed(1)} a second, ${nodes} nodes`)
  let unpaid = 0
  // One after the other: the subnet serves a limited number of connections.
  for (const index of burns)
    if ((await client.minter.redemptionStatus(index)).type !== 'confirmed') unpaid += 1
  if (burns.length !== COUNT) wrong.push(`${burns.length} of ${COUNT} were queued`)
  if (new Set(burns).size !== burns.length) wrong.push('two have one burn')
  if (unpaid > 0) wrong.push(`${unpaid} are not confirmed`)
  for (const type of ['xHeldRequest', 'removedRetrieveBtcRequest', 'xSignatureFailed'] as const) {
    const count = await countOf(client, type)
    if (count > 0) wrong.push(`${count} events ${type}`)
  }
  const view = await client.bitcoin?.utxosOf(address)
  const outputs = view?.utxos.length ?? 0
  if (outputs !== COUNT) wrong.push(`the recipient has ${outputs} coins`)
  const [batches, signatures] = [
    await countOf(client, 'sentTransaction'),
    await countOf(client, 'xInputSigned'),
  ]
  say(`${batches} transactions, ${signatures} signatures`)
  const verdict = home.run('verify-reserves --quiet').out.trim()
  if (verdict !== 'backed') wrong.push(`the reserves are ${verdict}`)
}

try {
  await play()
} finally {
  home.remove()
}
for (const text of wrong) say(`WRONG ${text}`)
process.exitCode = wrong.length > 0 ? 1 : 0
