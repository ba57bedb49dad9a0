/**
 * Goal: the player of recordings compares what it says, and lets nothing pass in silence.
 *
 * Method: a recording is played with errors in it, each of which must be seen, and with words that
 * the player does not know, which must stop it.
 */
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/core/base/bytes.ts'
import { compareSelections } from '../../support/recordings/ending.ts'
import type { Recording, Step } from '../../support/recordings/format.ts'
import type { Verdict } from '../../support/recordings/judge.ts'
import * as story from '../../support/recordings/story.ts'
import {
  BOB,
  COIN,
  deposit,
  first,
  playing,
  sentAndConfirmed,
  status,
  unexplained,
  withdraw,
} from '../../support/recordings/withdrawal-story.ts'

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
    ['checker', { op: 'world', what: 'kyt', colour: 'blue' }, 'a checker step'],
    ['wait without a time', { op: 'wait' }, 'wait without a time'],
    ['call', story.wait(9_000, [{ to: 'ic', m: 'raw_rand' }]), 'a call of "raw_rand"'],
    ['mined stranger', { op: 'world', what: 'mine', txid: COIN }, 'never sent by our minter'],
  ])('stops at an unknown %s, and says so', (_, step, text) => {
    const { player, verdicts } = playing(story.recordingOf([...deposit, step, ...deposit]))
    expect(player.stoppedAt).toBe(deposit.length)
    expect(verdicts.at(-1)?.reason).toContain(text)
  })

  it('repeats a call as often as it says, and its parts', () => {
    const asked = story.call('minter', 'get_deposit_fee', undefined, 2_000n)
    const equal = (step: Step): number =>
      playing(story.recordingOf([...deposit, step])).verdicts.filter(({ what }) =>
        what.includes('get_deposit_fee'),
      ).length
    expect(equal({ ...asked, op: 'repeat', count: 3 })).toBe(3)
    expect(equal({ op: 'repeat', times: 2, parts: [asked, asked] })).toBe(4)
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
