/**
 * Goal: the printed interface says what the table serves, in the grammar of Candid.
 * Method: the texts of small tables, and every method of our canisters by name.
 */
import { describe, expect, test } from 'vitest'
import type { Codec } from '../../../src/core/ic/candid.ts'
import {
  blob,
  func,
  nat,
  opt,
  principalCodec,
  query,
  recursive,
  text,
  unit,
  update,
  vec,
} from '../../../src/core/ic/candid.ts'
import { record, variant } from '../../../src/core/ic/candid-records.ts'
import { candidText } from '../../../src/core/ic/candid-text.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'

describe('an interface', () => {
  test('is printed with labels, kinds and quoted words', () => {
    const result = variant({ Ok: nat, Err: record({ reason: text }), Nothing: unit })
    const text_ = candidText({
      ask: query([record({ owner: principalCodec, note: opt(blob) })], vec(text)),
      query: update([nat, text], result),
    })
    expect(text_).toBe(
      [
        'service : {',
        '  ask : (record { owner : principal; note : opt blob }) -> (vec text) query;',
        '  "query" : (nat, text) -> (variant { Ok : nat; Err : record { reason : text }; Nothing });',
        '}',
        '',
      ].join('\n'),
    )
  })

  test('declares types that contain themselves', () => {
    type Tree = { readonly type: 'leaf'; readonly value?: never } | object
    const tree: Codec<Tree> = recursive(
      () => variant({ leaf: unit, inner: vec(tree) }) as Codec<Tree>,
    )
    const follow = func([tree], [tree], 'query')
    expect(candidText({ grow: update([tree], follow) })).toBe(
      [
        'type T0 = variant { leaf; inner : vec T0 };',
        'service : {',
        '  grow : (T0) -> (func (T0) -> (T0) query);',
        '}',
        '',
      ].join('\n'),
    )
  })

  test.each([
    ['ledger', ledgerInterface],
    ['minter', minterInterface],
  ])('of the %s names every method', (_, methods) => {
    const printed = candidText(methods)
    for (const name of Object.keys(methods)) expect(printed).toContain(`  ${name} : (`)
  })
})
