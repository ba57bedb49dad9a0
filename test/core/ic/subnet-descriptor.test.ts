import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import type { TokenCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { furtherToken, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { selfAuthenticating } from '../../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../../src/core/ic/public-key.ts'
import type { SubnetDescriptor } from '../../../src/core/ic/subnet-descriptor.ts'
import {
  DESCRIPTOR_BYTES_MAX,
  decodeDescriptor,
  encodeDescriptor,
} from '../../../src/core/ic/subnet-descriptor.ts'

const rootKey = encodePublicKey({ type: 'bls12381', key: new Uint8Array(96).fill(7) })
const nodeKey = (fill: number) => {
  const publicKey = encodePublicKey({ type: 'ed25519', key: new Uint8Array(32).fill(fill) })
  return { id: selfAuthenticating(publicKey), publicKey }
}
const { ledger, minter, index, checker, bitcoin } = ownCanisterIds

const sample: SubnetDescriptor = {
  pid: 4711,
  url: 'http://127.0.0.1:41873',
  controlPath: '/run/user/1000/ckbtc/control.sock',
  startedAt: '2026-02-03T04:05:06.789Z',
  rootKey,
  subnetId: selfAuthenticating(rootKey),
  nodeKeys: [nodeKey(1), nodeKey(2)],
  masterPublicKey: fromHex(`02${'11'.repeat(32)}`),
  ids: { ledger, minter, index, checker, bitcoin },
  nodes: 2,
  network: 'regtest',
  mining: 'auto',
  tokens: [],
}

const ids = ({ ledger, index }: Pick<TokenCanisterIds, 'ledger' | 'index'>) => ({ ledger, index })
const tokenDocument = {
  symbol: 'XYZ',
  name: 'A token',
  decimals: 8,
  mintingAccount: 'aaaaa-aa',
  ledger: 'aaaaa-aa',
  index: 'aaaaa-aa',
}

const encoded = encodeDescriptor(sample)
type Document = {
  readonly rootKey: string
  readonly masterPublicKey: string
  readonly nodeKeys: readonly { readonly publicKey: string }[]
  readonly ids: object
}
const document = (): Document => JSON.parse(encoded)
const changed = (change: Record<string, unknown>): string =>
  JSON.stringify({ ...document(), ...change })

describe('the descriptor of the running subnet', () => {
  it('survives writing and reading', () => {
    expect(decodeDescriptor(encoded)).toEqual(sample)
  })

  it('survives with further tokens', () => {
    const token = { ...ids(furtherToken(0)), symbol: 'XYZ', name: 'A token', decimals: 18 }
    const mintingAccount = { owner: minter, subaccount: new Uint8Array(32).fill(3) }
    const tokens = [
      { ...token, mintingAccount },
      { ...token, ...ids(furtherToken(1)), mintingAccount },
    ]
    expect(decodeDescriptor(encodeDescriptor({ ...sample, tokens }))).toEqual({ ...sample, tokens })
  })

  it('is written as it always was: files of one version are read by all programs of it', () => {
    const path = new URL('../../vectors/subnet/descriptor.json', import.meta.url)
    expect(encoded).toBe(readFileSync(path, 'utf8'))
  })

  it('is refused cut off at any place', () => {
    const end = encoded.trimEnd().length
    for (let length = 0; length < end; length++)
      expect(() => decodeDescriptor(encoded.slice(0, length))).toThrow(BadEncoding)
  })

  it('is refused with something behind it', () => {
    expect(() => decodeDescriptor(`${encoded}{}`)).toThrow(BadEncoding)
  })

  it('is refused without any one of its fields', () => {
    for (const name of Object.keys(document())) {
      const rest = Object.entries(document()).filter(([other]) => other !== name)
      expect(() => decodeDescriptor(JSON.stringify(Object.fromEntries(rest)))).toThrow(BadEncoding)
    }
  })

  it.each<[string, Record<string, unknown>]>([
    ['another version', { version: 2 }],
    ['an unknown field', { extra: 1 }],
    ['no process', { pid: 0 }],
    ['a fraction of a process', { pid: 1.5 }],
    ['https', { url: 'https://127.0.0.1:1' }],
    ['a path', { url: 'http://127.0.0.1:1/x' }],
    ['a control path that is no text', { controlPath: 7 }],
    ['a local time', { startedAt: '2026-02-03T04:05:06' }],
    ['upper-case hexadecimal', { rootKey: document().rootKey.toUpperCase() }],
    ['a root key of another scheme', { rootKey: document().masterPublicKey }],
    ['another subnet', { subnetId: 'aaaaa-aa' }],
    ['fewer keys than nodes', { nodes: 3 }],
    [
      'a node key of another scheme',
      { nodeKeys: [{ id: 'aaaaa-aa', publicKey: document().rootKey }], nodes: 1 },
    ],
    [
      'a node id of another key',
      {
        nodeKeys: [
          {
            id: 'aaaaa-aa',
            publicKey: document().nodeKeys[0]?.publicKey,
          },
        ],
        nodes: 1,
      },
    ],
    ['more nodes than any subnet', { nodes: 41 }],
    ['a key that is no point', { masterPublicKey: `04${'11'.repeat(32)}` }],
    ['a short key', { masterPublicKey: `02${'11'.repeat(31)}` }],
    ['a missing canister', { ids: { ledger: 'aaaaa-aa' } }],
    ['a canister id with a wrong checksum', { ids: { ...document().ids, ledger: 'aaaaa-ab' } }],
    ['another Bitcoin', { network: 'mainnet' }],
    ['an unknown way of mining', { mining: 'sometimes' }],
    ['tokens', { tokens: ['x'] }],
    ['a token without a ledger', { tokens: [{ ...tokenDocument, ledger: undefined }] }],
    ['a token with an unknown field', { tokens: [{ ...tokenDocument, extra: 1 }] }],
    [
      'a token of more decimals than a byte tells',
      { tokens: [{ ...tokenDocument, decimals: 256 }] },
    ],
    ['a token whose account is none', { tokens: [{ ...tokenDocument, mintingAccount: 'x' }] }],
    ['more tokens than any subnet', { tokens: Array.from({ length: 17 }, () => tokenDocument) }],
    ['null', { ids: null }],
  ])('is refused with %s', (_, change) => {
    expect(() => decodeDescriptor(changed(change))).toThrow(BadEncoding)
  })

  it.each(['', 'null', '[]', '7', '"x"', '{"__proto__":1}', '['.repeat(60_000)])(
    'is not %j',
    (source) => {
      expect(() => decodeDescriptor(source)).toThrow(BadEncoding)
    },
  )

  it('is not read beyond its largest size', () => {
    expect(() => decodeDescriptor(encoded + ' '.repeat(DESCRIPTOR_BYTES_MAX))).toThrow(BadEncoding)
  })
})
