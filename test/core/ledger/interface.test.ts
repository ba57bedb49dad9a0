/**
 * The ledger's Candid interface: every type is the published one, and random values survive the way
 * there and back.
 */
import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { publishedInterface } from '../../support/candid-peer.ts'
import { describeInterface } from '../../support/interface-tests.ts'

await describeInterface('the ledger interface', ledgerInterface, 'ledger-icrc/icrc_ledger.idl.js')

test('the argument of ledger §19.4 is written and read as printed', () => {
  const printed =
    '4449444c066d7b6e006c02b3b0dac30368ad86ca8305016e7d6e786c06fbca0102c6fcb60203ba89e5c20401a2de94' +
    'eb060182f3f3910c04d8a38ca80d7d0105010104000000000001'
  const { args } = ledgerInterface.icrc1_transfer
  const arg = { to: { owner: anonymous }, amount: 1n }
  expect(decodeArgs(args, fromHex(printed))).toEqual([arg])
  expect(toHex(encodeArgs(args, [arg]))).toBe(printed)
})

test('no published method is missing', async () => {
  const published = await publishedInterface('ledger-icrc/icrc_ledger.idl.js')
  expect(Object.keys(ledgerInterface).sort()).toEqual([...published.keys()].sort())
})
