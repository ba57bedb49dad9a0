/**
 * Goal: bodies have the fields that clients look for, and a node signs exactly what it says.
 * Method: IC interface §§8 to 11, 27.5; read with the decoder of `@icp-sdk/core`, hashed with its
 * `hashOfMap`, compared with the published vectors.
 */
import { Cbor, hashOfMap } from '@icp-sdk/core/agent'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { nobleEd25519 } from '../../../src/core/base/verification.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import { rejected } from '../../../src/core/ic/call-reply.ts'
import { requestId } from '../../../src/core/ic/envelope.ts'
import {
  anonymous,
  principal,
  selfAuthenticating,
  textOfPrincipal,
} from '../../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../../src/core/ic/public-key.ts'
import { separated } from '../../../src/core/ic/request-id.ts'
import {
  callBody,
  queryBody,
  queryHash,
  readStateBody,
  rejectionBody,
  statusBody,
} from '../../../src/core/ic/responses.ts'

const TAG = 'd9d9f7'
/** As a client reads a body; it must carry the self-describing tag. */
const read = (body: Uint8Array): unknown => {
  expect(toHex(body.subarray(0, 3))).toBe(TAG)
  return Cbor.decode(body)
}

const SECRET = Uint8Array.from({ length: 32 }, (_, index) => index)
const NODE_KEY = nobleEd25519.publicKey(SECRET)
const NODE_DER = encodePublicKey({ type: 'ed25519', key: NODE_KEY })
const NODE = selfAuthenticating(NODE_DER)
const timestamp = timestampNs(1_685_570_340_000_000_000n)
const QUERY = requestId({
  type: 'query',
  sender: anonymous,
  ingressExpiry: timestampNs(1_685_570_400_000_000_000n),
  canisterId: principal(fromHex('00000000000004d2')),
  methodName: 'hello',
  arg: fromHex('4449444c00fd2a'),
})
const REPLIED: CallReply = { type: 'replied', arg: fromHex('4449444c0000') }
const REJECTED = rejected('IC0503', 'boom')
const CERTIFICATE = Uint8Array.of(1, 2, 3)

const vectors: [string, CallReply, hash: string, signature: string][] = [
  [
    'a reply',
    REPLIED,
    '7b0d3843a503362664ad61d54b060d701312f0b31d5eb774f545836619568ce2',
    '475cbbb08221d59f2c5e7be3547f0092ea8c03d601d4749127b0b0b8ed0780b17fdf63de6442c767221322b106946518' +
      'fc6634bbdb58f44d484781debca9b80f',
  ],
  [
    'a rejection',
    REJECTED,
    '86da092813a536e4669039fa01529a4c11a1d15b82fb8c93dc9d435f63176308',
    '1235a17d6e18e150312307ef62b7ed418f60ce7b7dbed2e0e5ff7d49e4b332f870896fd538c68c9d47bbf2fec0cd31a2' +
      '11d160315bc18bec8dbe3bf8759ff909',
  ],
]

describe('what a node says to a query', () => {
  test('names the query and the node as published', () => {
    expect(toHex(QUERY)).toBe('74aff80b32e98aafb7f1b6cbedc29d2f7de9227d60a55169342600099f0e4147')
    expect(textOfPrincipal(NODE)).toBe(
      'yavxl-ppty4-enezb-hcalr-cdgzv-zoexx-7od3c-urvk6-rfzs4-552ct-7ae',
    )
  })

  test.each(vectors)('is hashed and signed as published: %s', (_, reply, hash, signature) => {
    const said = queryHash(reply, { requestId: QUERY, timestamp })
    expect(toHex(said)).toBe(hash)
    const message = separated('ic-response', said)
    expect(message).toEqual(concat(Uint8Array.of(0x0b), utf8('ic-response'), said))
    expect(toHex(nobleEd25519.sign(SECRET, message))).toBe(signature)
  })

  test.each(vectors)('is the map that the agent hashes: %s', (_, reply, hash) => {
    const signature = new Uint8Array(64)
    const { signatures, ...said } = Cbor.decode<Record<string, unknown>>(
      queryBody(reply, { timestamp, signature, nodeId: NODE }),
    )
    expect(signatures).toEqual([{ timestamp, signature, identity: Uint8Array.from(NODE) }])
    expect(toHex(hashOfMap({ ...said, timestamp, request_id: QUERY }))).toBe(hash)
  })

  test('depends on the reply, the query and the time', () => {
    const other = requestId({
      type: 'query',
      sender: anonymous,
      ingressExpiry: timestamp,
      canisterId: principal(fromHex('00000000000004d2')),
      methodName: 'hello',
      arg: new Uint8Array(),
    })
    const replies: CallReply[] = [
      REPLIED,
      { type: 'replied', arg: fromHex('4449444c0001') },
      REJECTED,
      rejected('IC0503', 'boon'),
      rejected('IC0406', 'boom'),
      rejected('IC0536', 'boom'),
    ]
    const hashes = replies.flatMap((reply) => [
      queryHash(reply, { requestId: QUERY, timestamp }),
      queryHash(reply, { requestId: other, timestamp }),
      queryHash(reply, { requestId: QUERY, timestamp: timestampNs(timestamp + 1n) }),
    ])
    expect(new Set(hashes.map(toHex)).size).toBe(3 * replies.length)
  })
})

describe('a body', () => {
  test('of a finished call holds its certificate, whatever came of it', () => {
    expect(read(callBody(CERTIFICATE))).toEqual({ status: 'replied', certificate: CERTIFICATE })
  })

  test('of a call refused by inspection is a rejection, with its form named from v3 on', () => {
    const rejection = { reject_code: 5, reject_message: 'boom', error_code: 'IC0503' }
    const plain = (withStatus: boolean) => read(rejectionBody(REJECTED, { withStatus }))
    expect(plain(false)).toEqual(rejection)
    expect(plain(true)).toEqual({ status: 'non_replicated_rejection', ...rejection })
  })

  test('of read state holds the certificate alone', () => {
    expect(read(readStateBody(CERTIFICATE))).toEqual({ certificate: CERTIFICATE })
  })

  test('of the status names the root key as soon as there is one', () => {
    const status = {
      implementation: 'ckbtc-1.2.3',
      health: 'healthy',
      certifiedSlot: 1n << 40n,
      certifiedTime: timestamp,
    } as const
    const rootKey = new Uint8Array(133).fill(7)
    const expected = {
      ic_api_version: '0.18.0',
      impl_version: 'ckbtc-1.2.3',
      replica_health_status: 'healthy',
      certified_height: 1n << 40n,
      certified_time: timestamp,
    }
    expect(read(statusBody({ ...status, rootKey }))).toEqual({ ...expected, root_key: rootKey })
    expect(read(statusBody({ ...status, rootKey: undefined }))).toEqual(expected)
  })
})
