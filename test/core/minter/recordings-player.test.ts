/**
 * Goal: the player of recordings compares what it says, and lets nothing pass in silence.
 *
 * Method: a withdrawal of 2024 is written down by hand, its amounts by that release's formulas and
 * its transactions by an independent library; then it is played as it is, and with errors in it.
 */
import { describe, expect, it } from 'vitest'
import type { Txid } from '../../../src/core/base/bytes.ts'
import { fromHex, hash32 } from '../../../src/core/base/bytes.ts'
import { sat } from '../../../src/core/base/units.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'
import type { RetrieveBtcStatusV2, Utxo } from '../../../src/core/minter/types.ts'
import { MINTER_OF_2024 } from '../../support/recordings/dialect-2024.ts'
import { compareEvents, compareSelections } from '../../support/recordings/ending.ts'
import type { Fields, Recording, Step } from '../../support/recordings/format.ts'
import type { Verdict } from '../../support/recordings/judge.ts'
import { Player } from '../../support/recordings/player.ts'
import * as story from '../../support/recordings/story.ts'

const COIN = '29ac928de75705ba2b6496e4d8f333ed61887ceb963478841ce184b7114f3243'
const BOB = 'bc1qamp50n456tvt4tcgg9r2ng9pw9j3qx0xwxmka5'
const CAROL = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'

function playing(recording: Recording): { player: Player; verdicts: readonly Verdict[] } {
  const player = new Player(recording, MINTER_OF_2024)
  return { player, verdicts: player.play() }
}

const unexplained = (steps: readonly Step[]): readonly Verdict[] =>
  playing(story.recordingOf(steps)).verdicts.filter(({ kind }) => kind === 'unexplained')

const utxo: Utxo = {
  outpoint: { txid: hash32(fromHex(COIN)) as Txid, vout: 1 },
  value: sat(1_000_000n),
  height: 849_991,
}

const deposit: readonly Step[] = [
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

function withdraw(address: string, amount: bigint, block: number): Step {
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

const status = (block: number, value: RetrieveBtcStatusV2): Step =>
  story.call('minter', 'retrieve_btc_status_v2', { blockIndex: BigInt(block) }, value)

// 246 + 14 + 52 for the minter; 141 vB at the median of 6,000; 2,000 for the check.
const first = story.transaction(
  [[COIN, 1]],
  [
    [BOB, 98_000n - (312n + 846n)],
    [story.MAIN_ADDRESS, 1_000_000n - 98_000n + 312n],
  ],
)
const firstTxid = fromHex(first.txid)

const sentAndConfirmed: readonly Step[] = [
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
const second = story.transaction(
  [[first.txid, 1]],
  [
    [CAROL, 198_000n - 676n],
    [BOB, 98_000n - 675n],
    [story.MAIN_ADDRESS, 902_312n - 296_000n + 319n],
  ],
)

const PROVIDER = 'uir6q-h2vyo-yfvel-7xjpt-4zmrf-bvi4t-o3z67-uyrbk-zuqsn-u57iz-fqe'
const coin = { height: 849_991, value: '1000000', outpoint: { txid: COIN, vout: 1 } }
const change = { height: 850_001, value: '902312', outpoint: { txid: first.txid, vout: 1 } }

const eventsOfFirst: readonly Fields[] = [
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

describe('a recorded withdrawal', () => {
  it('is played to the txid, and to its end', () => {
    expect(unexplained(sentAndConfirmed)).toEqual([])
  })

  it('goes out in the order of arrival, and waits its time after a quiet one too', () => {
    const steps = [
      ...sentAndConfirmed,
      withdraw(CAROL, 200_000n, 3),
      withdraw(BOB, 100_000n, 4),
      story.wait(7_700),
      status(3, { type: 'pending' }),
      story.wait(7_900, [second.sent]),
      status(4, { type: 'submitted', txid: fromHex(second.txid) }),
    ]
    expect(unexplained(steps)).toEqual([])
  })

  it('that cannot be sent is pending there, and submitted here, for a reason', () => {
    const steps: readonly Step[] = [
      ...deposit,
      withdraw(BOB, 100_000n, 2),
      { op: 'world', what: 'bitcoin_send_transaction', answer: 'reject, code 4' },
      story.wait(700, [story.failed(first.sent), story.failed(first.sent)]),
      status(2, { type: 'pending' }),
      { op: 'world', what: 'bitcoin_send_transaction', answer: 'normal' },
      story.wait(720, [first.sent]),
      status(2, { type: 'submitted', txid: firstTxid }),
    ]
    expect(unexplained(steps)).toEqual([])
    const different = playing(story.recordingOf(steps)).verdicts.filter(
      ({ kind }) => kind === 'different',
    )
    expect(new Set(different.map(({ reason }) => reason))).toContain(
      'what could not be sent stays submitted today [H 2]',
    )
  })

  it('has the recorded events, each in its place', () => {
    const events = [...eventsOfFirst]
    const compared = (list: readonly Fields[]) => {
      const recording = { ...story.recordingOf(sentAndConfirmed), events: list }
      return compareEvents(playing(recording).player, recording).map(({ kind }) => kind)
    }
    expect(compared(events)).toEqual(events.map(() => 'equal'))
    expect(compared(events.slice(1)).at(-1)).toBe('unexplained')
    expect(compared(events.slice(0, -1)).at(-1)).toBe('unexplained')
    expect(compared(events.toReversed()).at(-1)).toBe('unexplained')
  })
})

describe('a recording with an error in it', () => {
  const wrong = (change: (step: Step) => Step, at: number): readonly Verdict[] =>
    unexplained(sentAndConfirmed.map((step, i) => (i === at ? change(step) : step)))
  const last = sentAndConfirmed.length - 1
  const place = (wanted: (step: Step) => boolean): number => sentAndConfirmed.findIndex(wanted)

  it.each<[string, number, (step: Step) => Step]>([
    ['another status', last, () => status(2, { type: 'pending' })],
    ['another txid', last, () => status(2, { type: 'confirmed', txid: fromHex(COIN) })],
    [
      'another block',
      place(({ m }) => m === 'retrieve_btc_with_approval'),
      () => withdraw(BOB, 100_000n, 3),
    ],
    ['a reject', last, ({ r: _, ...step }) => ({ ...step, x: { code: 5, message: 'no' } })],
    [
      'another reply of the ledger',
      place(({ m }) => m === 'icrc2_approve'),
      (step) => ({ ...step, r: step.r?.replace(/01$/, '02') ?? '' }),
    ],
    [
      'a transaction that pays a satoshi more',
      place(({ calls }) => (calls ?? []).includes(first.sent)),
      () => {
        const other = story.transaction(
          [[COIN, 1]],
          [
            [BOB, 96_843n],
            [story.MAIN_ADDRESS, 902_311n],
          ],
        )
        return story.wait(700, [other.sent])
      },
    ],
    [
      'no transaction',
      place(({ calls }) => (calls ?? []).includes(first.sent)),
      () => story.wait(700),
    ],
  ])('is not explained: %s', (_, at, change) => {
    expect(at).toBeGreaterThan(0)
    expect(wrong(change, at).length).toBeGreaterThan(0)
  })

  it.each<[string, Step, string]>([
    ['op', { op: 'dance' }, 'a step of op "dance"'],
    ['world step', { op: 'world', what: 'comet' }, 'a world step of "comet"'],
    ['canister', { op: 'u', c: 'kettle', m: 'boil' }, 'a call of a canister "kettle"'],
    ['repeat', { op: 'repeat', n: 'as before' }, 'repeat: as before'],
    ['wait without a time', { op: 'wait' }, 'wait without a time'],
    ['call', story.wait(9_000, [{ to: 'ic', m: 'raw_rand' }]), 'a call of "raw_rand"'],
    ['mined stranger', { op: 'world', what: 'mine', txid: COIN }, 'never sent by our minter'],
  ])('stops at an unknown %s, and says so', (_, step, text) => {
    const { player, verdicts } = playing(story.recordingOf([...deposit, step, ...deposit]))
    expect(player.stoppedAt).toBe(deposit.length)
    expect(verdicts.at(-1)?.reason).toContain(text)
  })

  it('does not explain a method that nobody knows', () => {
    const step: Step = { op: 'u', c: 'minter', m: 'sing', a: '4449444c0000', r: '4449444c0000' }
    expect(unexplained([...deposit, step])).toHaveLength(1)
    const { r: _, ...asked } = step
    const rejected = { ...asked, x: { code: 3, message: 'no such method' } }
    expect(unexplained([...deposit, rejected])).toEqual([])
  })
})

describe('recorded selections of coins', () => {
  const coins = [100n, 200n, 300n].map((value, i) => ({
    txid: String(i).repeat(64),
    vout: 0,
    value: String(value),
  }))
  const recording = (selections: Recording['selections']): Recording => ({
    ...story.recordingOf([]),
    coins,
    ...(selections === undefined ? {} : { selections }),
  })
  const kinds = (selections: Recording['selections']) =>
    compareSelections(recording(selections)).map(({ kind }) => kind)

  it('are compared by index, by outpoint, by value or by count', () => {
    const forms = [
      [2, 1],
      [
        { txid: '2'.repeat(64), vout: 0 },
        { txid: '1'.repeat(64), vout: 0 },
      ],
    ]
    for (const inputs of [...forms, ['300', '200'], 2])
      expect(kinds([{ amount: '450', inputs }])).toEqual(['equal'])
    expect(kinds([{ amount: '450', inputs: [1, 2, 0] }])).toEqual(['unexplained'])
    expect(kinds([{ amount: '601', inputs: [] }])).toEqual(['equal'])
  })

  it('of an unknown form are refused', () => {
    expect(() => kinds([{ wish: '450' }])).toThrow('a selection')
  })
})
