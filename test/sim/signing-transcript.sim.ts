/**
 * Goal: the transcript of a signature is all that somebody needs to follow each step, it is true in
 * every line, and it holds no secret; threshold specification §20, `docs/spec/cli.md` §5.18.
 * Method: nodes of a running subnet sign for their operator; a verifier that knows the program's
 * texts and none of its code computes the file again, and finds each change of it.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { parseJson } from '../../src/core/base/json.ts'
import { wireJson } from '../../src/host/control/protocol.ts'
import { transcriptShape } from '../../src/host/control/signing-transcript.ts'
import type { Wish } from '../support/signing-world.ts'
import { digest, SigningWorld } from '../support/signing-world.ts'
import { wrongLines } from '../support/transcript-verifier.ts'

const NODES = 4
const anybody = { taprootRoot: undefined, only: [] } as const
const root = fromHex('07'.repeat(32))

const wishes = {
  ecdsa: { ...anybody, scheme: 'ecdsa', message: digest },
  bip340: { ...anybody, scheme: 'bip340', message: utf8('a letter') },
  'bip340 under a root': {
    ...anybody,
    scheme: 'bip340',
    message: utf8('a letter'),
    taprootRoot: root,
  },
  'bip340 under an empty root': {
    ...anybody,
    scheme: 'bip340',
    message: utf8(''),
    taprootRoot: new Uint8Array(),
  },
  ed25519: { ...anybody, scheme: 'ed25519', message: utf8('a letter') },
} satisfies Record<string, Wish>

let world: SigningWorld
const files = new Map<string, string>()
/** The first node that combines has a false share of node 1 to deal with. */
const withLiar = new Map<string, string>()

beforeAll(() => {
  world = new SigningWorld(NODES)
  for (const [name, wish] of Object.entries(wishes)) files.set(name, world.transcript(wish))
  world.lie(0)
  for (const [name, wish] of Object.entries(wishes)) withLiar.set(name, world.transcript(wish))
  world.lie(undefined)
}, 120_000)

const fileOf = (name: string): string => present(files.get(name), 'made before')

// biome-ignore lint/suspicious/noExplicitAny: a file is changed field by field.
type File = any

/** What the nodes tell and nothing in the file proves; none of it enters the signature. */
const TOLD: readonly RegExp[] = [
  /^ckbtc$/,
  /^subnet\.id$/,
  /^subnet\.nodes\.\d+\.id$/,
  /^ms\./,
  /^submission\.combined_by$/,
  /^shares\.\d+\.blame$/,
  /^presignature\.transcripts\.key\.inputs\./,
  /^presignature\.transcripts\.(key|blinder|kappa_lambda|key_lambda)\.id$/,
  /^request\.only/,
]
/** Of ECDSA: shares of x and κ themselves are not in it, only those of κλ and xλ. */
const TOLD_OF_ECDSA = /^presignature\.transcripts\.(key|kappa)\.commitment\.1$/

type Leaf = {
  readonly path: string
  readonly set: (value: unknown) => void
  readonly value: unknown
}

function leaves(file: File, path = ''): readonly Leaf[] {
  return Object.entries(file).flatMap(([name, value]): readonly Leaf[] => {
    const here = path === '' ? name : `${path}.${name}`
    if (typeof value === 'object' && value !== null) return leaves(value, here)
    const set = (changed: unknown): void => {
      file[name] = changed
    }
    return [{ path: here, set, value }]
  })
}

/** Another value of the same shape. */
function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  if (value === null) return '00'
  const text = String(value)
  const last = text.slice(-1)
  if (text === '') return '00'
  if (/^\d{1,20}$/.test(text)) return String(BigInt(text) + 1n)
  if (/^[0-9a-f]+$/.test(text))
    return text.slice(0, -1) + (Number.parseInt(last, 16) ^ 1).toString(16)
  return `${text}x`
}

describe('a transcript', () => {
  it.each(Object.keys(wishes))('of %s is true in every line', (name) => {
    const file = JSON.parse(fileOf(name))
    expect(wrongLines(file)).toEqual([])
    expect(file.shares.every(({ good }: File) => good)).toBe(true)
  })

  it.each(Object.keys(wishes))(
    'of %s with any field changed is found false',
    (name) => {
      const count = leaves(JSON.parse(fileOf(name))).length
      const unseen: string[] = []
      for (let place = 0; place < count; place++) {
        const file = JSON.parse(fileOf(name))
        const leaf = present(leaves(file)[place], 'one of them')
        const told = [...TOLD, ...(name === 'ecdsa' ? [TOLD_OF_ECDSA] : [])]
        if (told.some((pattern) => pattern.test(leaf.path))) continue
        leaf.set(other(leaf.value))
        if (wrongLines(file, 1).length === 0) unseen.push(`${leaf.path}: ${leaf.value}`)
      }
      expect(unseen).toEqual([])
      expect(count).toBeGreaterThan(60)
    },
    120_000,
  )

  it.each(Object.keys(wishes))('of %s shows a false share, and whose it is', (name) => {
    const file = JSON.parse(present(withLiar.get(name), 'made before'))
    expect(wrongLines(file)).toEqual([])
    const { combination, shares } = file
    // Masks are not combined: one that is false does no harm, and is found here.
    if (name !== 'ecdsa') expect(combination.nodes).not.toContain(1)
    for (const { node, good, blame } of shares) {
      expect([node, good]).toEqual([node, node !== 1])
      if (node !== 1) expect(blame).toBeNull()
    }
  })

  it('of some node had the false share before it had enough others', () => {
    const blames = [...withLiar.values()].flatMap((text) =>
      JSON.parse(text).shares.map(({ blame }: File) => blame),
    )
    expect(blames).toContain('InvalidSignatureShare')
  })

  it('with a false share called good, or a good one false, is found false', () => {
    for (const change of [
      { good: false },
      { blame: 'InvalidSignatureShare' },
      { combined: false },
      { values: null },
    ]) {
      const file = JSON.parse(fileOf('ecdsa'))
      Object.assign(
        file.shares.find(({ combined }: File) => combined),
        change,
      )
      expect(wrongLines(file), JSON.stringify(change)).not.toEqual([])
    }
    const file = JSON.parse(present(withLiar.get('bip340'), 'made before'))
    for (const share of file.shares) Object.assign(share, { good: true })
    const [lie] = file.shares.flatMap(({ node }: File, i: number) => (node === 1 ? [i] : []))
    expect(wrongLines(file)).toEqual(
      lie === undefined ? [] : expect.arrayContaining([`share ${lie}`]),
    )
  })

  it('combines the shares of the nodes that were asked for, and of no others', () => {
    for (const only of [
      [2, 3],
      [1, 2, 3],
    ]) {
      const file = JSON.parse(world.transcript({ ...wishes.ecdsa, only }))
      expect(wrongLines(file)).toEqual([])
      const shown = only.map((node) => node + 1)
      expect(file.request.only).toEqual(shown)
      for (const node of file.combination.nodes) expect(shown).toContain(node)
      file.request.only = [1]
      expect(wrongLines(file)).toContain('combination')
    }
  })

  it('is told by every node that combined, of the same signature', () => {
    const id = world.ask(wishes.bip340)
    const reports = world.reports(id)
    expect(reports.length).toBeGreaterThan(1)
    expect(new Set(reports.map(({ signature }) => signature)).size).toBe(1)
    expect(new Set(reports.map(({ combinedBy }) => combinedBy)).size).toBe(reports.length)
  })

  it('passes the control port as it is', () => {
    const text = wireJson(JSON.parse(fileOf('ecdsa')).ms)
    expect(text).toBe('{"presign":1.5,"sign":2,"combine":0.1,"order":null,"total":4}')
    expect(() => parseJson('{}', transcriptShape)).toThrow()
  })

  it('holds no secret of any node, in hexadecimal, base64 or as it is', () => {
    const secrets = world.secrets()
    // Keys of four nodes, and of each at least a key and a presignature of three algorithms.
    expect(secrets.length).toBeGreaterThan(NODES * 20)
    for (const text of [...files.values(), ...withLiar.values()]) {
      const numbers = new Set([...text.matchAll(/[0-9a-f]{64}/g)].map(([digits]) => digits))
      expect(numbers.size).toBeGreaterThan(10)
      for (const secret of secrets) {
        const written = [toHex(secret), toHex(secret.toReversed())]
        const base64 = [secret, secret.toReversed()].map((s) => Buffer.from(s).toString('base64'))
        for (const form of [...written, ...base64.map((b) => b.slice(0, 40))])
          expect(text.includes(form)).toBe(false)
        expect(Buffer.from(text).includes(Buffer.from(secret))).toBe(false)
      }
    }
  })
})
