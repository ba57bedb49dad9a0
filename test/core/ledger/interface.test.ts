/**
 * The ledger's Candid interface: every type is the published one, and random values survive the way
 * there and back.
 */
import { IDL } from '@icp-sdk/core/candid'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeArgs, encodeArgs, type Method } from '../../../src/core/ic/candid.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface.ts'
import {
  canonicalForm,
  publishedForm,
  publishedInterface,
  publishedValues,
} from '../../support/candid-peer.ts'

const published = await publishedInterface('ledger-icrc/icrc_ledger.idl.js')
const methods: readonly (readonly [string, Method])[] = Object.entries(ledgerInterface)

const peerOf = (name: string) => {
  const method = published.get(name)
  if (method === undefined) throw new Error(`${name} is not published`)
  return method
}

describe('the ledger interface', () => {
  it.each(methods)('%s has the published types and kind', (name, { mode, args, result }) => {
    const peer = peerOf(name)
    expect(mode).toBe(peer.mode)
    expect(args.map(({ type }) => canonicalForm(type))).toEqual(peer.args.map(publishedForm))
    expect([canonicalForm(result.type)]).toEqual(peer.results.map(publishedForm))
  })

  it.each(methods)('%s: values of the SDK become ours and come back the same', (name, method) => {
    const { args, results } = peerOf(name)
    for (const [types, codecs] of [
      [args, method.args],
      [results, [method.result]],
    ] as const) {
      const values = fc.tuple(...types.map(publishedValues))
      fc.assert(
        fc.property(values, (list) => {
          const bytes = IDL.encode([...types], list)
          const ours = decodeArgs(codecs, bytes)
          const again = encodeArgs(codecs, [...ours])
          expect(IDL.decode([...types], again)).toEqual(IDL.decode([...types], bytes))
          expect(decodeArgs(codecs, again)).toEqual(ours)
        }),
        { numRuns: 60 },
      )
    }
  })
})
