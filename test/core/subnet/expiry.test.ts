/**
 * Goal: a redemption whose signature never comes is asked for again, always the same transaction,
 * and paid once.
 * Method: threshold §18.5, minter specification §12; a whole node that does not hear its own shares.
 */
import { expect, it } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { parseBtc } from '../../../src/core/base/units.ts'
import { decodeTransaction, txid } from '../../../src/core/btc/transaction.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { encodePeerMessage } from '../../../src/core/subnet/peer-message.ts'
import { canistersAt } from '../../../src/wallet/canisters.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const payer = regtestWallet('payer')
const recipient = regtestWallet('recipient')
const user = devUser(0)
/** Kind of the message of a node, and of the signer's inside it. */
const [SIGNER, SHARE] = [0, 3]
const MINUTE_MS = 60_000

it('a redemption whose signatures expire is one transaction, paid once', async () => {
  const net = new SubnetNet(1)
  net.settle()
  net.mine(101, payer.script)
  net.pass(1)
  const { ledger: ledgerId, minter: minterId } = ownCanisterIds
  const rootKey = present(net.backend.rootKey, 'a root is certified')
  const masterPublicKey = present(net.node(0).publicKey, 'the key is made')
  const deployment = { url: 'http://127.0.0.1', rootKey, ledgerId, minterId, masterPublicKey }
  const canisters = canistersAt(deployment, { signer: user, fetch: net.fetch })
  const { address } = await canisters.depositAddress({ owner: user.principal })
  const coinbase = present(net.bitcoin.blockAt(1)?.transactions[0], 'a coinbase')
  const { value } = present(coinbase.outputs[0], 'it pays')
  const utxos = [{ outpoint: { txid: txid(coinbase), vout: 0 }, value }]
  const payment = payer.pay({ utxos, to: address, amount: parseBtc('0.5'), feeRateSatPerVb: 5n })
  if (payment.type !== 'signed') throw new Error(payment.type)
  expect(net.bitcoin.submit(payment.bytes, net.nowSeconds).type).toBe('accepted')
  net.mine(6, payer.script)

  const nothing = encodePeerMessage({ type: 'hello' })
  net.tamper = (bytes) => (bytes[0] === SIGNER && bytes[1] === SHARE ? nothing : bytes)
  const asked = (): readonly { readonly txid: string; readonly attempt: number }[] =>
    [...net.node(0).replica.state.asked.values()].map((key) => ({
      txid: toHex(key.txid),
      attempt: key.attempt,
    }))
  const { address: to } = recipient
  const burn = await canisters.redeem({ address: to, amount: parseBtc('0.2'), now: net.now })
  net.pass(11_000)
  const first = present(asked()[0], 'a signature is asked for')
  expect(asked()).toEqual([{ txid: first.txid, attempt: 0 }])
  net.pass(MINUTE_MS - 2_000)
  expect(asked()).toEqual([{ txid: first.txid, attempt: 0 }])
  for (const attempt of [1, 2]) {
    net.pass(MINUTE_MS)
    expect(asked()).toEqual([]) // It rests until the next round.
    net.pass(20_000)
    expect(asked()).toEqual([{ txid: first.txid, attempt }])
    expect((await canisters.redemptionStatus(burn)).type).toBe('signing')
  }
  expect([net.announced, net.faults]).toEqual([[], []])

  net.tamper = (bytes) => bytes
  net.pass(MINUTE_MS)
  net.pass(20_000)
  const paid = net.announced.map((bytes) => toHex(txid(decodeTransaction(bytes))))
  expect(new Set(paid)).toEqual(new Set([first.txid]))
  expect(asked()).toEqual([])
  net.mine(6, payer.script)
  expect((await canisters.redemptionStatus(burn)).type).toBe('confirmed')
  expect(net.node(0).replica.violations()).toEqual([])
})
