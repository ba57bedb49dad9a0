/** The two tests that every canister's Candid interface passes. */
import { IDL } from '@icp-sdk/core/candid'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeArgs, encodeArgs, type Method, resultsOf } from '../../src/core/ic/candid.ts'
import { canonicalForm, publishedForm, publishedInterface, publishedValues } from './candid-peer.ts'

/** Holds `ours` against the interface published in `declaration`, a path as `publishedInterface` takes it. */
export async function describeInterface(
  title: string,
  ours: Readonly<Record<string, Method>>,
  declaration: string,
): Promise<void> {
  const published = await publishedInterface(declaration)
  const methods = Object.entries(ours)

  const peerOf = (name: string) => {
    const method = published.get(name)
    if (method === undefined) throw new Error(`${name} is not published`)
    return method
  }

  describe(title, () => {
    it.each(methods)('%s has the published types and kind', (name, method) => {
      const { mode, args } = method
      const peer = peerOf(name)
      expect(mode).toBe(peer.mode)
      expect(args.map(({ type }) => canonicalForm(type))).toEqual(peer.args.map(publishedForm))
      const results = resultsOf(method).map(({ type }) => canonicalForm(type))
      expect(results).toEqual(peer.results.map(publishedForm))
    })

    it.each(methods)('%s: values of the SDK become ours and come back the same', (name, method) => {
      const { args, results } = peerOf(name)
      for (const [types, codecs] of [
        [args, method.args],
        [results, resultsOf(method)],
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
}
