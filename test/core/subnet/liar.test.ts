/**
 * Goal: lies are such as a real liar tells: false in one point, and signed by its node where others
 * look at signatures. Method: messages of honest nodes, and what `ckbtc subnet corrupt-node` makes
 * of them (cli §5.16, threshold §22.4).
 */
import { describe, expect, it } from 'vitest'
import { hash32 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { votesContent } from '../../../src/core/log/message.ts'
import { encodeProposal } from '../../../src/core/log/proposal.ts'
import type { Vote } from '../../../src/core/log/vote.ts'
import { COIN_SHARE_SIZE } from '../../../src/core/log/vote.ts'
import { Liar } from '../../../src/core/subnet/liar.ts'
import type { Lie } from '../../../src/core/subnet/lies.ts'
import type { Spoken } from '../../../src/core/subnet/spoken.ts'
import { readSpoken, writeSpoken } from '../../../src/core/subnet/spoken.ts'
import { openingContent } from '../../../src/core/tecdsa/dispute.ts'
import { lanePrefix, runPrefix } from '../../../src/core/tecdsa/evidence.ts'
import { shareContent } from '../../../src/core/tecdsa/message.ts'
import type { EvidenceKind } from '../../../src/core/tecdsa/node-keys.ts'
import { verifyEvidence } from '../../../src/core/tecdsa/node-keys.ts'
import { suites } from '../../../src/core/tecdsa/signer-config.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { foundSubnet } from '../../support/founded.ts'

const NODES = 4
const ME = 0
const { genesis, keys: all } = foundSubnet(NODES)
const members = genesis.membership.members
const member = present(members[ME], 'a member')
const keys = present(
  all.find(({ record }) => String(record.id) === String(member.id)),
  'its keys',
)
const prefix = lanePrefix(genesis, suites.ecdsa.algorithm)
const seed = Seed.fromBytes(new Uint8Array(32))

const liar = (lie: Lie): Liar => new Liar({ lie, seed, genesis, me: ME, keys })
const hash = hash32(new Uint8Array(32).fill(5))
const share = new Uint8Array(48).fill(0x80)

/** What a peer hears of a liar in place of `spoken`. */
const heard = (lie: Lie, to: number, spoken: Spoken): readonly Spoken[] =>
  liar(lie)
    .say(to, writeSpoken(genesis.incarnation, spoken))
    .map(({ bytes }) => present(readSpoken(genesis.incarnation, bytes), 'it can be read'))

const isSigned = (kind: EvidenceKind, content: Uint8Array, signature: Uint8Array): boolean =>
  verifyEvidence(nativeEd25519, { signer: member, kind, content, signature })

const log = (votes: readonly Vote[]): Spoken => ({
  type: 'log',
  message: {
    type: 'votes',
    slot: 7n,
    life: 0n,
    votes,
    signature: keys.sign('vote', votesContent(runPrefix(genesis), { slot: 7n, life: 0n, votes })),
  },
})
const votesOf = (spoken: Spoken | undefined): readonly Vote[] => {
  if (spoken?.type !== 'log' || spoken.message.type !== 'votes') throw new RangeError('no votes')
  const { slot, life, votes, signature } = spoken.message
  expect(isSigned('vote', votesContent(runPrefix(genesis), { slot, life, votes }), signature)).toBe(
    true,
  )
  return votes
}

/** Behind the id of its transcript. */
const coinShare = new Uint8Array(COIN_SHARE_SIZE).fill(0x80)
const coin: Vote = { type: 'coin', instance: 1, round: 2, share: coinShare }
const aux: Vote = { type: 'aux', instance: 1, round: 2, value: 0 }
const initial: Vote = {
  type: 'initial',
  proposal: encodeProposal({ clock: timestampNs(5n), items: [hash] }),
}

describe('a liar', () => {
  const root: Spoken = { type: 'root', vote: { slot: 1n, root: hash, share } }

  it('that is silent says nothing, and one that is slow says the same later', () => {
    const bytes = writeSpoken(genesis.incarnation, root)
    expect(liar({ type: 'silent' }).say(1, bytes)).toEqual([])
    const slow = liar({ type: 'slow', delayMs: 300 }).say(1, bytes)
    expect(slow).toEqual([{ to: 1, bytes, afterMs: 300 }])
  })

  it('that says anything says the same under the same seed, of other lengths', () => {
    const noise = () => {
      const one = liar({ type: 'random' })
      return [1, 2, 3, 1].flatMap((to) => one.say(to, share).map(({ bytes }) => bytes))
    }
    expect(noise()).toEqual(noise())
    expect(new Set(noise().map(({ length }) => length)).size).toBeGreaterThan(2)
  })

  it('passes on what it cannot read, and what its lie is not about', () => {
    const bytes = Uint8Array.of(255, 1)
    for (const type of ['bad-share', 'bad-dealing', 'bad-opening', 'equivocate'] as const) {
      expect(liar({ type }).say(1, bytes)).toEqual([{ to: 1, bytes, afterMs: 0 }])
      expect(heard({ type }, 1, { type: 'hello' })).toEqual([{ type: 'hello' }])
    }
  })
})

describe('false shares', () => {
  const lie: Lie = { type: 'bad-share' }

  it('of a state root and of the tape are the negated points', () => {
    const [root] = heard(lie, 1, { type: 'root', vote: { slot: 1n, root: hash, share } })
    const negated = share.with(0, 0xa0)
    expect(root).toMatchObject({ vote: { root: hash, share: negated } })
    const tape = { type: 'tape-share', incarnation: 1n, slot: 1n, transcriptId: 1n, share } as const
    const [said] = heard(lie, 1, { type: 'signer', message: tape })
    expect(said).toMatchObject({ message: { ...tape, share: negated } })
  })

  it('of the coin are among votes that are signed anew', () => {
    const [said] = heard(lie, 1, log([aux, coin]))
    expect(votesOf(said)).toEqual([aux, { ...coin, share: coinShare.with(8, 0xa0) }])
  })

  it('of a signature differ in the last scalar, and are signed', () => {
    const honest = { type: 'share', lane: 'ecdsa', requestId: hash, share } as const
    const signature = new Uint8Array(64)
    const [said] = heard(lie, 1, { type: 'signer', message: { ...honest, signature } })
    if (said?.type !== 'signer' || said.message.type !== 'share') throw new RangeError('no share')
    expect(said.message.share).toEqual(share.with(47, 0x81))
    expect(
      isSigned('signature-share', shareContent(prefix, said.message), said.message.signature),
    ).toBe(true)
  })
})

it('a false opening is signed, and of the same dispute', () => {
  const signed = { transcriptId: 3n, dealer: 1, complainer: 2, opening: share }
  const message = {
    type: 'opening',
    lane: 'ecdsa',
    signed: { ...signed, signature: new Uint8Array(64) },
  } as const
  const [said] = heard({ type: 'bad-opening' }, 1, { type: 'signer', message })
  if (said?.type !== 'signer' || said.message.type !== 'opening') throw new RangeError('no opening')
  expect(said.message.signed).toMatchObject({ ...signed, opening: share.with(47, 0x81) })
  const content = openingContent(prefix, said.message.signed)
  expect(isSigned('opening', content, said.message.signed.signature)).toBe(true)
})

describe('two stories', () => {
  const lie: Lie = { type: 'equivocate' }
  const honest = log([initial, aux, coin])

  it('are told to two halves, and one node hears both', () => {
    expect(heard(lie, 2, honest)).toEqual([honest])
    expect(heard(lie, 3, honest)).toHaveLength(1)
    const [first, second] = heard(lie, 1, honest)
    expect(second).toEqual(honest)
    expect(heard(lie, 3, honest)[0]).toEqual(first)
  })

  it('differ in proposal and votes, and both are signed', () => {
    const [said] = heard(lie, 3, honest)
    expect(votesOf(said)).toEqual([
      { type: 'initial', proposal: encodeProposal({ clock: timestampNs(6n), items: [hash] }) },
      { ...aux, value: 1 },
      coin,
    ])
  })
})
