/**
 * Goal: secrets do not print, do not leak through their objects, and are opened and combined in a
 * few known files only. Method: threshold specification §20; architecture §10 rule 1. The lists
 * below are the whole permission.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { asSecret } from '../../../src/core/base/group.ts'
import { Polynomial } from '../../../src/core/tecdsa/polynomial.ts'
import { Sealed, unseal } from '../../../src/core/tecdsa/secret.ts'
import { makeNodes, makeRun, order } from '../../support/threshold.ts'

const source = fileURLToPath(new URL('../../../src/', import.meta.url))
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)

const textOf = (file: string): string => readFileSync(`${source}${file}`, 'utf8')

/** Files under src that import this name. */
const importersOf = (name: string): string[] =>
  files
    .filter((file) => {
      const imports = [...textOf(file).matchAll(/^import ([^']*?) from '[^']+'$/gm)]
      return imports.some(([, names = '']) => new RegExp(`\\b${name}\\b`).test(names))
    })
    .map((file) => file.replaceAll('\\', '/'))
    .toSorted()

const nodes = makeNodes(4)
const among = { dealers: nodes, receivers: nodes }
const run = makeRun({ operation: { type: 'random' }, ...among, id: 1n })
const share = present(run.shares[0], 'a share')
const key = present(nodes[0], 'a node').key
const polynomial = new Polynomial([asSecret(123456789n), asSecret(987654321n)], order)

describe('printing', () => {
  const opening = unseal(share)
  const digits = [
    opening.value,
    opening.type === 'pedersen' ? opening.mask : 0n,
    unseal(key.secret),
    123456789n,
  ].flatMap((value) => [value.toString(), value.toString(16)])
  const objects = {
    share,
    secret: key.secret,
    polynomial,
    number: new Sealed(asSecret(123456789n)),
  }

  test.each(Object.entries(objects))('%s shows nothing, however it is printed', (_, object) => {
    const printed = [
      String(object),
      `${object}`,
      JSON.stringify({ object, nested: [object] }),
      inspect(object, { depth: 9, showHidden: true, getters: true }),
      inspect({ nested: [object] }, { depth: 9, showHidden: true }),
      format('%s %o %O %j', object, object, object, object),
      String(new Error(`${object}`).stack),
      inspect(Object.entries(object)),
    ].join()
    for (const digit of digits) expect(printed).not.toContain(digit)
    expect(printed).toContain('[secret]')
  })

  test.each(Object.entries(objects))('%s has no property that holds anything', (_, object) => {
    expect(Reflect.ownKeys(object)).toEqual([])
    const { prototype } = object.constructor
    for (const name of Object.getOwnPropertyNames(prototype))
      expect(Object.getOwnPropertyDescriptor(prototype, name)?.get).toBeUndefined()
  })
})

test('an erased secret is gone, and using it is a bug', () => {
  const sealed = new Sealed({ type: 'simple', value: asSecret(5n) } as const)
  expect(unseal(sealed).value).toBe(5n)
  sealed.erase()
  expect(() => unseal(sealed)).toThrow('erased')
})

describe('who may', () => {
  test('open a secret: the arithmetic of §§4 to 10, 14, 15', () => {
    expect(importersOf('unseal')).toEqual([
      'core/tecdsa/bls.ts', // The own share of the certification key becomes a signature share.
      'core/tecdsa/commitment.ts', // A share against its commitment.
      'core/tecdsa/complaint.ts', // The encryption key of the node, in a proof about it.
      'core/tecdsa/dealing-draw.ts', // Own shares of the inputs become constants of new polynomials.
      'core/tecdsa/mega.ts', // The encryption key of the node.
      'core/tecdsa/opening.ts', // The own share of a dealing that was bad for another node.
      'core/tecdsa/polynomial.ts',
      'core/tecdsa/schnorr.ts', // Own shares of x and κ become a public signature share.
      'core/tecdsa/signature.ts', // Own shares of λ, κλ, xλ become a public signature share.
      'core/tecdsa/transcript.ts', // What one receiver got of several dealers becomes its one share.
    ])
  })

  test('interpolate: commitments, the dealings to one receiver, public openings and signature shares', () => {
    const interpolating = [...importersOf('lagrange'), ...importersOf('lagrangeScalars')]
    expect([...new Set(interpolating)].toSorted()).toEqual([
      'core/tecdsa/bls.ts',
      'core/tecdsa/commitment.ts',
      'core/tecdsa/recovery.ts',
      'core/tecdsa/schnorr.ts',
      'core/tecdsa/session.ts',
      'core/tecdsa/signature.ts',
      'core/tecdsa/transcript.ts',
    ])
  })

  test('nobody takes a whole module, passes one on, or loads one late, which would hide an import', () => {
    const modules = '[./a-z-]*/(secret|lagrange)\\.ts'
    const hidden = new RegExp(`(\\* as \\w+ from|export .* from|import\\() ?'${modules}'`)
    expect(files.filter((file) => hidden.test(textOf(file)))).toEqual([])
    expect(hidden.test("import * as s from '../core/tecdsa/secret.ts'")).toBe(true)
    expect(hidden.test("export { unseal } from './secret.ts'")).toBe(true)
    expect(hidden.test("await import('./lagrange.ts')")).toBe(true)
  })

  test('the search for importers finds what there is', () => {
    expect(importersOf('Sealed')).toContain('core/tecdsa/mega.ts')
    expect(importersOf('evaluationPoint')).toContain('core/tecdsa/polynomial.ts')
    expect(importersOf('noSuchName')).toEqual([])
  })
})
