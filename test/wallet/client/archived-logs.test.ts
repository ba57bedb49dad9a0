/**
 * Goal: a log is read through its archives, however little each answer gives; one that keeps back,
 * repeats, invents or sends elsewhere is not believed, and never read without end. Method: real
 * canisters with one answer changed, ledger §§10, 11.1, 12.
 */
import { describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { addNs, timestampNs } from '../../../src/core/base/units.ts'
import { encodeBlock } from '../../../src/core/ledger/blocks/block-codec.ts'
import { ckbtcConfig } from '../../../src/core/ledger/config.ts'
import type { GetBlocksResult } from '../../../src/core/ledger/interface/ledger-interface.ts'
import type { Canister } from '../../../src/core/subnet/canister.ts'
import { Client } from '../../../src/wallet/client.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import type { Change } from '../../support/guest-ledger.ts'
import { changed, guestToken, saying } from '../../support/guest-ledger.ts'
import { NetworkUnderTest } from '../../support/network-under-test.ts'

const COUNT = 260
const [user, minter] = [devUser(0), devUser(4).principal]

/** 260 blocks, the first 250 of them in two archives. */
const token = guestToken(0, {
  initialBalances: Array.from({ length: COUNT }, (_, i) => {
    const subaccount = new Uint8Array(32).fill(i & 0xff).fill(1 + (i >> 8), 31)
    return { account: { owner: user.principal, subaccount }, amount: 1_000n }
  }),
  archiveOptions: {
    ...ckbtcConfig({ minter, archiveController: minter }).archiveOptions,
    triggerThreshold: 20n,
    numBlocksToArchive: 250n,
    nodeMaxMemorySizeBytes: 25_000n,
  },
})
const encoded = token.ledger.state.chain.blocks.map((block) => encodeBlock(block as never))
for (let i = 0; i < 20; i++) token.endSlot(addNs(timestampNs(0n), BigInt(i)))
const archives = token.canisters.filter(({ name }) => name === 'archive')

type Lies = { readonly ledger?: Change; readonly first?: Change }

/** Reads the log where ledger and first archive answer like this; how often a canister was asked. */
function reader({ ledger, first }: Lies) {
  let asked = 0
  const counting = saying('icrc3_get_blocks', (value) => {
    asked += 1
    return value
  })
  const lying = (canister: Canister, lie: Change | undefined): Canister =>
    changed(lie === undefined ? canister : changed(canister, lie), counting)
  const [one, ...others] = archives
  const guests = [
    lying(token.ledger, ledger),
    lying(present(one, 'an archive'), first),
    ...others.map((archive) => lying(archive, undefined)),
  ]
  const { network, fetch } = new NetworkUnderTest({ guests })
  const ids = { ...network.ids, ledger: token.ledger.id }
  const { blocks } = new Client({ network: { ...network, ids }, signer: user, fetch })
  return { blocks, asked: () => asked }
}

const blocksOf = (change: (value: GetBlocksResult) => GetBlocksResult): Change =>
  saying('icrc3_get_blocks', (value) => change(value))

describe('a log in several archives', () => {
  test('is that of the test', () => {
    expect(archives.length).toBe(2)
    expect(token.ledger.state.chain.firstLocalIndex).toBe(250n)
  })

  test.each([false, true])(
    'is read in order, in few questions, certified: %s',
    async (certified) => {
      const { blocks, asked } = reader({})
      const read = await blocks.range(0n, 1_000n, { certified })
      expect(read.map((block) => encodeBlock(block))).toEqual(encoded)
      expect(asked()).toBeLessThan(10)
      const part = await reader({}).blocks.range(95n, 255n, { certified })
      expect(part.map((block) => encodeBlock(block))).toEqual(encoded.slice(95, 255))
    },
  )

  test('ledger §20.99: is read to its end from an archive that gives little', async () => {
    const few = blocksOf((value) => ({ ...value, blocks: value.blocks.slice(0, 7) }))
    const read = await reader({ first: few }).blocks.all()
    expect(read.map((block) => encodeBlock(block))).toEqual(encoded)
  })
})

describe('not believed is', () => {
  const start = { id: 0n, block: { type: 'map', map: [] } } as const
  const archiveLies: readonly (readonly [string, Change, string])[] = [
    ['one that keeps back', blocksOf((v) => ({ ...v, blocks: [] })), 'keeps block 0 back'],
    [
      'one that says the same again',
      saying('icrc3_get_blocks', (v, [range]) =>
        range?.start === 0n ? v : { ...v, blocks: [start] },
      ),
      'block 0 out of order',
    ],
    [
      'one that sends on to another archive',
      blocksOf((v) => ({
        ...v,
        blocks: [],
        archivedBlocks: [
          {
            args: [{ start: 0n, length: 100n }],
            callback: { canisterId: token.ledger.id, methodName: 'icrc3_get_blocks' },
          },
        ],
      })),
      'names another one',
    ],
    [
      'one that gives more than was asked for',
      blocksOf((v) => ({ ...v, blocks: [...v.blocks, ...v.blocks] })),
      'more blocks than',
    ],
    [
      'one that leaves one out',
      blocksOf((v) => ({ ...v, blocks: v.blocks.filter((_, i) => i !== 3) })),
      'out of order',
    ],
    [
      'one that has them in another order',
      blocksOf((v) => ({ ...v, blocks: v.blocks.toReversed() })),
      'out of order',
    ],
    [
      'one that gives another block of the same number',
      blocksOf((v) => ({
        ...v,
        blocks: v.blocks.map((each, i) =>
          i === 5 ? { id: each.id, block: present(v.blocks[4], 'a block').block } : each,
        ),
      })),
      'block 5 is not the child',
    ],
    [
      'one that begins with a block of no parent elsewhere',
      saying('icrc3_get_blocks', (v, [range]) =>
        range?.start === 0n
          ? v
          : { ...v, blocks: v.blocks.map(({ id }) => ({ id, block: start.block })) },
      ),
      'is not the child',
    ],
    ['one whose blocks are none', blocksOf((v) => ({ ...v, blocks: [start] })), 'without "ts"'],
  ]
  test.each(archiveLies)('an archive: %s', async (_name, first, message) => {
    const { blocks, asked } = reader({ first })
    const failure = blocks.all()
    await expect(failure).rejects.toMatchObject({ code: 'NETWORK_BAD_CERTIFICATE' })
    await expect(failure).rejects.toThrow(message)
    expect(asked()).toBeLessThan(10)
  })

  const named = (change: (part: GetBlocksResult['archivedBlocks'][number]) => object): Change =>
    blocksOf((v) => ({
      ...v,
      archivedBlocks: v.archivedBlocks.map((part) => ({ ...part, ...change(part) })),
    }))
  const ledgerLies: readonly (readonly [string, Change, string])[] = [
    [
      'one that names another method of an archive',
      named(({ callback }) => ({ callback: { ...callback, methodName: 'icrc1_transfer' } })),
      'names icrc1_transfer',
    ],
    [
      'one that names a range elsewhere',
      named(() => ({ args: [{ start: 1n, length: 99n }] })),
      'keeps block 0 back',
    ],
    [
      'one that says its archives have everything',
      named(() => ({ args: [{ start: 0n, length: 2n ** 64n - 1n }] })),
      'keeps block',
    ],
    [
      'one that names an archive without end',
      named(() => ({ args: [{ start: 0n, length: 2n ** 200n }] })),
      'keeps block',
    ],
  ]
  test.each(ledgerLies)('a ledger: %s', async (_name, ledger, message) => {
    const { blocks, asked } = reader({ ledger })
    const failure = blocks.all()
    await expect(failure).rejects.toMatchObject({ code: 'NETWORK_BAD_CERTIFICATE' })
    await expect(failure).rejects.toThrow(message)
    expect(asked()).toBeLessThan(10)
  })
})
