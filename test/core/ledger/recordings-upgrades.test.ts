/**
 * Goal: the player of recordings, and our ledger in it, know installations and upgrades of every kind,
 * archives, and what the release of 2024 did otherwise. Method: a small recording, written down by hand
 * from `docs/spec/ledger.md` §§12, 14 and the table of differences; wrong answers in it must be noticed.
 */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { tokens } from '../../../src/core/base/units.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'
import { archiveInterface } from '../../../src/core/ledger/archive/archive-interface.ts'
import type { Value } from '../../../src/core/ledger/blocks/value.ts'
import type { InitArgs, LedgerArg } from '../../../src/core/ledger/interface/init-interface.ts'
import { ledgerArgCodec } from '../../../src/core/ledger/interface/init-interface.ts'
import { MINTER_OF_2024 } from '../../support/recordings/dialect-2024.ts'
import type { Recording, Step } from '../../support/recordings/format.ts'
import { Player } from '../../support/recordings/player.ts'
import { ALICE, call, LEDGER, MINTER, recordingOf, START } from '../../support/recordings/story.ts'

const ARCHIVES = ['nbsys-saaaa-aaaar-qaaga-cai', 'm62lf-ryaaa-aaaar-qaacq-cai'] as const
const alice = principalOfText(ALICE)
const minter = principalOfText(MINTER)
const archive = principalOfText(ARCHIVES[0])
const at = (last: number) => ({ owner: alice, subaccount: new Uint8Array(32).fill(last, 31) })
const TRAP = { code: 5, message: '' }

const init = (change: Partial<InitArgs> = {}): LedgerArg => ({
  type: 'init',
  args: {
    mintingAccount: { owner: minter },
    transferFee: 10n,
    tokenName: 'ckBTC',
    tokenSymbol: 'ckBTC',
    metadata: [],
    initialBalances: [],
    archiveOptions: { numBlocksToArchive: 2n, triggerThreshold: 4n, controllerId: minter },
    ...change,
  },
})

type Change = Extract<LedgerArg, { type: 'upgrade' }>['args']
const change = (op: 'install' | 'upgrade', arg: LedgerArg, rest: Partial<Step> = {}): Step => ({
  op,
  c: 'ledger',
  a: toHex(encodeArgs([ledgerArgCodec], [arg])),
  ...rest,
})
const install = (arg: LedgerArg, rest?: Partial<Step>) => change('install', arg, rest)
const upgrade = (args: Change, rest?: Partial<Step>) =>
  change('upgrade', { type: 'upgrade', args }, rest)

const pay = (amount: bigint, blockIndex: bigint, to = at(2), rest?: Partial<Step>): Step =>
  call('ledger', 'icrc1_transfer', { to, amount }, { type: 'ok', blockIndex }, rest)
const withMemo = (length: number, blockIndex: bigint, rest?: Partial<Step>): Step => {
  const arg = { to: at(2), amount: 5n, memo: new Uint8Array(length) }
  return call('ledger', 'icrc1_transfer', arg, { type: 'ok', blockIndex }, rest)
}
const mint = (amount: bigint, blockIndex: bigint, to = at(2)): Step =>
  pay(amount, blockIndex, to, { as: 'minter' })
const holds = (account: ReturnType<typeof at> | { owner: typeof alice }, balance: bigint): Step =>
  call('ledger', 'icrc1_balance_of', account, tokens(balance), { op: 'q' })
const fee = (value: bigint): Step =>
  call('ledger', 'icrc1_fee', undefined, value, { op: 'q', a: '4449444c0000' })
const noArgs = { op: 'q', a: '4449444c0000' } as const

function played(steps: readonly Step[], canisters: Recording['canisters'] = {}) {
  const recording = recordingOf(steps)
  const player = new Player(
    {
      ...recording,
      kind: 'ledger',
      people: { ...recording.people, minter: { id: MINTER } },
      canisters: { ledger: LEDGER, ...canisters },
    },
    MINTER_OF_2024,
  )
  const verdicts = [...player.play()]
  return {
    ledger: player.ledger,
    unexplained: verdicts.filter(({ kind }) => kind === 'unexplained'),
    reasons: verdicts.flatMap(({ kind, reason }) => (kind === 'different' ? [reason] : [])),
  }
}

const appending: Step = {
  op: 'u',
  as: 'alice',
  m: 'append_blocks',
  a: toHex(encodeArgs(archiveInterface.append_blocks.args, [[]])),
  x: TRAP,
}

const fine = { unexplained: [], reasons: [] }
const balances = [
  [{ owner: alice }, 1_000n],
  [at(1), 500n],
] as const

describe('a recorded installation', () => {
  test('has what is left out as the interface has it', () => {
    const steps = [
      install(init({ initialBalances: balances })),
      holds({ owner: alice }, 1_000n),
      call('ledger', 'icrc1_decimals', undefined, 8, noArgs),
      call('ledger', 'icrc1_total_supply', undefined, tokens(1_500n), noArgs),
      withMemo(32, 2n),
      withMemo(33, 3n, { x: TRAP }),
      pay(5n, 3n, at(2), { a: toHex(new Uint8Array(3)), x: TRAP }),
    ]
    expect(played(steps)).toMatchObject(fine)
  })

  test.each<readonly [string, Step]>([
    ['an upgrade argument', change('install', { type: 'upgrade' }, { x: TRAP })],
    ['no argument', { op: 'install', c: 'ledger', a: '4449444c0000', x: TRAP }],
    ['a fee of 65 bits', install(init({ transferFee: 2n ** 64n }), { x: TRAP })],
    ['equal balances', install(init({ initialBalances: [balances[0], balances[0]] }), { x: TRAP })],
  ])('is refused with %s', (_, step) => {
    expect(played([step])).toMatchObject(fine)
  })

  test.each<readonly [string, Partial<InitArgs>, string]>([
    [
      'a reserved key',
      { metadata: [['icrc1:fee', { type: 'nat', nat: 1n }]] },
      'reserved and repeated keys of metadata are refused today',
    ],
    [
      'the minting account as collector',
      { feeCollectorAccount: { owner: minter } },
      'the minting account is no collector today',
    ],
    [
      'a balance of the minting account',
      { initialBalances: [[{ owner: minter }, 7n]] },
      'an initial balance of the minting account is refused today',
    ],
  ])('with %s went on then, and the story is played on', (_, args, reason) => {
    const first = BigInt(args.initialBalances?.length ?? 0)
    const steps = [install(init(args)), mint(100n, first), fee(10n)]
    const { unexplained, reasons, ledger } = played(steps)
    expect([unexplained, reasons]).toEqual([[], [reason]])
    expect(ledger.blocks).toHaveLength(Number(first) + 1)
  })
})

describe('a recorded upgrade', () => {
  const start = [install(init({ initialBalances: balances, maxMemoLength: 40 }))]

  test('changes what it names', () => {
    const logo = ['icrc1:logo', { type: 'text', text: 'data:,' }] as const
    const steps = [
      ...start,
      upgrade({ transferFee: 3n, tokenName: 'new', tokenSymbol: 'NEW', metadata: [logo] }),
      fee(3n),
      call('ledger', 'icrc1_name', undefined, 'new', noArgs),
      call('ledger', 'icrc1_symbol', undefined, 'NEW', noArgs),
      { op: 'upgrade', c: 'ledger', a: '4449444c0000' },
      change('upgrade', { type: 'upgrade' }),
      fee(3n),
      upgrade({ maxMemoLength: 64 }),
      upgrade({ maxMemoLength: 63, transferFee: 9n }, { x: TRAP }),
      fee(3n),
      holds({ owner: alice }, 1_000n),
    ]
    expect(played(steps)).toMatchObject(fine)
  })

  test.each<readonly [string, Step]>([
    ['an init argument', change('upgrade', init(), { x: TRAP })],
    ['a fee of 65 bits', upgrade({ transferFee: 2n ** 64n }, { x: TRAP })],
    [
      'the minting account as collector',
      upgrade({ changeFeeCollector: { type: 'setTo', account: { owner: minter } } }, { x: TRAP }),
    ],
  ])('is refused with %s', (_, step) => {
    expect(played([...start, step, fee(10n)])).toMatchObject(fine)
  })

  test('of a collector shows in the next block, and in those behind it', () => {
    const account = at(9)
    const steps = [
      ...start,
      upgrade({ changeFeeCollector: { type: 'setTo', account } }),
      pay(5n, 2n),
      holds(account, 10n),
      pay(5n, 3n),
      holds(account, 20n),
      upgrade({ changeFeeCollector: { type: 'unset' } }),
      pay(5n, 4n),
      holds(account, 20n),
    ]
    const { ledger, ...rest } = played(steps)
    expect(rest).toEqual(fine)
    expect(ledger.blocks.map(({ feeCollectorBlock }) => feeCollectorBlock)).toEqual([
      undefined,
      undefined,
      undefined,
      2n,
      undefined,
    ])
  })
})

describe('recorded archives', () => {
  const map = (fields: Readonly<Record<string, Value>>): Value => ({
    type: 'map',
    map: Object.entries(fields),
  })
  const time: Value = { type: 'nat', nat: START }
  const to: Value = { type: 'array', array: [{ type: 'blob', blob: alice }] }
  const op: Value = { type: 'text', text: 'mint' }
  const block0 = map({ ts: time, tx: map({ amt: { type: 'nat', nat: 1_000n }, op, to, ts: time }) })
  const steps = [
    install(init({ initialBalances: balances })),
    call('ledger', 'archives', undefined, [], noArgs),
    pay(5n, 2n),
    pay(5n, 3n, at(2), {
      calls: [
        { to: 'ic', m: 'create_canister' },
        { to: 'ic', m: 'install_code' },
        { to: ARCHIVES[0], m: 'append_blocks' },
      ],
    }),
    call(
      'ledger',
      'archives',
      undefined,
      [{ canisterId: archive, blockRangeStart: 0n, blockRangeEnd: 1n }],
      noArgs,
    ),
    call(
      'ledger',
      'icrc3_get_blocks',
      [{ start: 0n, length: 2n }],
      {
        logLength: 4n,
        blocks: [],
        archivedBlocks: [
          {
            args: [{ start: 0n, length: 2n }],
            callback: { canisterId: archive, methodName: 'icrc3_get_blocks' },
          },
        ],
      },
      { op: 'q' },
    ),
    call(
      'archive',
      'icrc3_get_blocks',
      [{ start: 0n, length: 1n }],
      { logLength: 2n, blocks: [{ id: 0n, block: block0 }], archivedBlocks: [] },
      { op: 'q' },
    ),
    { ...appending, c: 'archive' },
  ]

  test('hold what has left the ledger, under their recorded ids', () => {
    expect(played(steps, { archive: ARCHIVES[0] })).toMatchObject(fine)
  })

  test('are found by the calls that the ledger made, if nothing names them', () => {
    expect(
      played(steps.map((step) => (step.c === 'archive' ? { ...step, c: ARCHIVES[0] } : step))),
    ).toMatchObject(fine)
  })

  test('that refuse leave the ledger as it was', () => {
    const calls = [{ to: 'ic', m: 'create_canister', x: { code: 2, message: '' } }]
    const refusing = [
      install(init({ initialBalances: balances })),
      pay(5n, 2n),
      pay(5n, 3n, at(2), { calls }),
      call('ledger', 'archives', undefined, [], noArgs),
    ]
    expect(played(refusing)).toMatchObject(fine)
  })

  test('of a ledger that is installed anew are others', () => {
    const again = [
      ...steps.slice(0, 4),
      ...steps.slice(0, 3),
      pay(5n, 3n, at(2), { calls: [{ to: ARCHIVES[1], m: 'append_blocks' }] }),
      call(
        'ledger',
        'icrc3_get_archives',
        {},
        [{ canisterId: principalOfText(ARCHIVES[1]), start: 0n, end: 1n }],
        { op: 'q' },
      ),
    ]
    expect(played(again)).toMatchObject(fine)
  })
})

describe('accounts that were trimmed then', () => {
  const limits = { maximum_number_of_accounts: '3', accounts_overflow_trim_quantity: '2' }
  const steps = [
    install(init(), { in: { Init: limits } }),
    mint(100n, 0n, at(1)),
    mint(70n, 1n, at(2)),
    mint(90n, 2n, at(3)),
    mint(80n, 3n, at(4)),
    mint(60n, 4n, at(5)),
    mint(1n, 7n, at(1)), // Two blocks burned what was the least.
    holds(at(2), 0n),
    holds(at(5), 0n),
    holds(at(4), 80n),
  ]

  test('are burned by the player, so that the blocks stay in step', () => {
    const { ledger, unexplained, reasons } = played(steps)
    expect([unexplained, reasons]).toEqual([[], []])
    const burned = ledger.blocks.flatMap(({ transaction }) =>
      transaction.type === 'burn' && transaction.memo !== undefined
        ? [[transaction.amount, toHex(transaction.memo)]]
        : [],
    )
    expect(burned.sort()).toEqual([60n, 70n].map((amount) => [amount, 'f'.repeat(16)]))
  })
})

describe('the player notices', () => {
  const start = install(init({ initialBalances: balances }))
  test.each<readonly [string, readonly Step[]]>([
    ['an installation that went well and was recorded as refused', [{ ...start, x: TRAP }]],
    ['another fee', [start, fee(11n)]],
    [
      'an upgrade that went well and was refused',
      [start, upgrade({ transferFee: 1n }, { x: TRAP })],
    ],
    ['an upgrade that is refused and went well', [start, upgrade({ maxMemoLength: 3 })]],
    [
      'archives that were none',
      [start, pay(1n, 2n), pay(1n, 3n), call('ledger', 'archives', undefined, [], noArgs)],
    ],
    ['another index', [start, pay(1n, 3n)]],
  ])('%s', (_, steps) => {
    expect(played(steps).unexplained).toHaveLength(1)
  })
})
