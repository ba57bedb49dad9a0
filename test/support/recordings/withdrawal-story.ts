/**
 * A withdrawal of 2024 written down by hand: its amounts by that release's formulas, its transactions
 * by an independent library.
 */
import type { Txid } from '../../../src/core/base/bytes.ts'
import { fromHex, hash32 } from '../../../src/core/base/bytes.ts'
import { sat } from '../../../src/core/base/units.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'
import type { RetrieveBtcStatusV2, Utxo } from '../../../src/core/minter/types.ts'
import { MINTER_OF_2024 } from './dialect-2024.ts'
import type { Fields, Recording, Step } from './format.ts'
import type { Verdict } from './judge.ts'
import { Player } from './player.ts'
import * as story from './story.ts'

export function playing(recording: Recording): { player: Player; verdicts: readonly Verdict[] } {
  const player = new Player(recording, MINTER_OF_2024)
  return { player, verdicts: player.play() }
}

export const unexplained = (steps: readonly Step[]): readonly Verdict[] =>
  playing(story.recordingOf(steps)).verdicts.filter(({ kind }) => kind === 'unexplained')

export const COIN = '29ac928de75705ba2b6496e4d8f333ed61887ceb963478841ce184b7114f3243'
export const BOB = 'bc1qamp50n456tvt4tcgg9r2ng9pw9j3qx0xwxmka5'
export const CAROL = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'

const utxo: Utxo = {
  outpoint: { txid: hash32(fromHex(COIN)) as Txid, vout: 1 },
  value: sat(1_000_000n),
  height: 849_991,
}

export const deposit: readonly Step[] = [
  ...story.install,
  story.wait(1),
  {
    op: 'world',
    what: 'coin',
    who: 'alice',
    address: story.ALICE_ADDRESS,
    txid: COIN,
    vout: 1,
    value: '1000000',
    height: 849_991,
  },
  story.call(
    'minter',
    'update_balance',
    {},
    {
      type: 'ok',
      value: [{ type: 'minted', blockIndex: 0n, mintedAmount: 998_000n, utxo }],
    },
    {
      calls: [
        {
          to: 'ic',
          m: 'bitcoin_get_utxos',
          in: { address: story.ALICE_ADDRESS, filter: { MinConfirmations: 6 } },
          out: { utxos: 1, more: false },
        },
        { to: 'kyt', m: 'fetch_utxo_alerts', in: { txid: COIN }, out: { Ok: { alerts: [] } } },
        {
          to: 'ledger',
          m: 'icrc1_transfer',
          in: { to: { owner: story.ALICE }, memo: `8200835820${COIN}011907d0`, amount: '998000' },
          out: { Ok: '0' },
        },
      ],
    },
  ),
  story.call(
    'ledger',
    'icrc2_approve',
    {
      spender: { owner: principalOfText(story.MINTER) },
      amount: 900_000n,
    },
    { type: 'ok', blockIndex: 1n },
  ),
]

const hexText = (text: string): string => Buffer.from(text, 'utf8').toString('hex')

export function withdraw(address: string, amount: bigint, block: number): Step {
  const length = address.length.toString(16)
  return story.call(
    'minter',
    'retrieve_btc_with_approval',
    { address, amount },
    { type: 'ok', value: { blockIndex: BigInt(block) } },
    {
      calls: [
        {
          to: 'ledger',
          m: 'icrc2_transfer_from',
          in: {
            to: { owner: story.MINTER },
            from: { owner: story.ALICE },
            memo: `82008378${length}${hexText(address)}1907d0f6`,
            amount: String(amount),
          },
          out: { Ok: String(block) },
        },
        { to: 'kyt', m: 'fetch_withdrawal_alerts', in: { address }, out: { Ok: { alerts: [] } } },
      ],
    },
  )
}

export const status = (block: number, value: RetrieveBtcStatusV2): Step =>
  story.call('minter', 'retrieve_btc_status_v2', { blockIndex: BigInt(block) }, value)

// 246 + 14 + 52 for the minter; 141 vB at the median of 6,000; 2,000 for the check.
export const first = story.transaction(
  [[COIN, 1]],
  [
    [BOB, 98_000n - (312n + 846n)],
    [story.MAIN_ADDRESS, 1_000_000n - 98_000n + 312n],
  ],
)
export const firstTxid = fromHex(first.txid)

export const sentAndConfirmed: readonly Step[] = [
  ...deposit,
  withdraw(BOB, 100_000n, 2),
  status(2, { type: 'pending' }),
  story.wait(599),
  status(2, { type: 'pending' }),
  story.wait(700, [first.sent]),
  status(2, { type: 'submitted', txid: firstTxid }),
  { op: 'world', what: 'mine', txid: first.txid },
  { op: 'world', what: 'tip', tip: 850_006 },
  story.wait(7_200),
  status(2, { type: 'confirmed', txid: firstTxid }),
]

// Two of different amounts, the larger first: 246 + 21 + 52, and 172 vB; each pays half.
export const second = story.transaction(
  [[first.txid, 1]],
  [
    [CAROL, 198_000n - 676n],
    [BOB, 98_000n - 675n],
    [story.MAIN_ADDRESS, 902_312n - 296_000n + 319n],
  ],
)

export const PROVIDER = 'uir6q-h2vyo-yfvel-7xjpt-4zmrf-bvi4t-o3z67-uyrbk-zuqsn-u57iz-fqe'
const coin = { height: 849_991, value: '1000000', outpoint: { txid: COIN, vout: 1 } }
const change = { height: 850_001, value: '902312', outpoint: { txid: first.txid, vout: 1 } }

export const eventsOfFirst: readonly Fields[] = [
  {
    init: {
      kyt_principal: story.KYT,
      ecdsa_key_name: 'key_1',
      mode: { GeneralAvailability: null },
      retrieve_btc_min_amount: '100000',
      ledger_id: story.LEDGER,
      max_time_in_queue_nanos: '600000000000',
      btc_network: { Mainnet: null },
      min_confirmations: 6,
      kyt_fee: '2000',
    },
  },
  { checked_utxo: { clean: true, utxo: coin, uuid: 'check-1', kyt_provider: PROVIDER } },
  { received_utxos: { to_account: { owner: story.ALICE }, mint_txid: '0', utxos: [coin] } },
  {
    accepted_retrieve_btc_request: {
      received_at: String(story.START + story.SECOND),
      block_index: '2',
      address: { p2wpkh_v0: 'eec347ceb4d2d8baaf084146a9a0a171651019e6' },
      reimbursement_account: { owner: story.ALICE },
      amount: '98000',
      kyt_provider: PROVIDER,
    },
  },
  {
    sent_transaction: {
      requests: ['2'],
      txid: first.txid,
      utxos: [coin],
      change_output: { vout: 1, value: '902312' },
      submitted_at: '1',
      fee: '6000',
    },
  },
  { received_utxos: { to_account: { owner: story.MINTER }, utxos: [change] } },
  { confirmed_transaction: { txid: first.txid } },
]

// At 7,000: what the bump adds comes out of the output.
export const replacement = story.transaction(
  [[COIN, 1]],
  [
    [BOB, 98_000n - (312n + 987n)],
    [story.MAIN_ADDRESS, 902_312n],
  ],
)
