/**
 * Goal: a certificate shows a request to its sender, and to nobody once its sender is forgotten.
 * Method: IC interface §10.1; a replica that does not know a request which the certified state still
 * shows, as it is between the slot that forgets and the root that is settled next.
 */
import { describe, expect, test } from 'vitest'
import { addNs, timestampNs } from '../../../src/core/base/units.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { decodeCertificate } from '../../../src/core/ic/certificate.ts'
import { lookupTree } from '../../../src/core/ic/hash-tree.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import { branch } from '../../../src/core/ic/state-tree.ts'
import { requestPath, requestTree, stateTree } from '../../../src/core/subnet/certified-state.ts'
import type { AnswerContext } from '../../../src/core/subnet/client-answers.ts'
import { answer, CERTIFICATE_AGE_NS_MAX } from '../../../src/core/subnet/client-answers.ts'
import { Replica } from '../../../src/core/subnet/replica.ts'
import { embeddedMinter } from '../../../src/core/subnet/settings.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { LOCAL_KEY } from '../ic/certificates.ts'

const { ledger } = ownCanisterIds
const sender = principal(Uint8Array.of(1, 2, 2))
const time = timestampNs(1_685_570_340_000_000_000n)
const FORGOTTEN = new Uint8Array(32).fill(1)
const UNKNOWN = new Uint8Array(32).fill(2)
const request = { sender, canisterId: ledger, expiry: time }
const context: AnswerContext = {
  replica: new Replica({
    nodes: [],
    operator: sender,
    incarnation: 1n,
    ed25519: nativeEd25519,
    minter: embeddedMinter,
    createdAt: time,
  }),
  certified: {
    slot: 1n,
    time,
    tree: stateTree({
      time,
      certificationKey: LOCAL_KEY,
      nodes: [],
      canisters: [],
      requests: branch([
        [FORGOTTEN, requestTree({ ...request, reply: { type: 'replied', arg: Uint8Array.of(1) } })],
      ]),
      updatesTotal: 1n,
    }),
  },
  isCurrent: false,
  signature: () => new Uint8Array(48),
  nodeId: sender,
  signAnswer: () => new Uint8Array(64),
  now: time,
}
const read = (id: Uint8Array, changes: Partial<AnswerContext> = {}) => {
  const answered = answer(
    { ...context, ...changes },
    {
      type: 'readState',
      read: {
        scope: 'canister',
        effectiveId: ledger,
        version: 3,
        sender,
        targets: undefined,
        paths: [requestPath(id)],
      },
    },
  )
  if (answered.type !== 'readState') throw new Error(answered.type)
  return answered.outcome
}

describe('a read of a request', () => {
  test('whose sender is forgotten is refused while the certified state shows it', () => {
    expect(read(FORGOTTEN)).toMatchObject({ type: 'refused', status: 403 })
  })

  test('that was never known is answered with the proof', () => {
    const outcome = read(UNKNOWN)
    if (outcome.type === 'refused') throw new Error(outcome.reason)
    const { tree } = decodeCertificate(outcome.certificate)
    expect(lookupTree(tree, requestPath(UNKNOWN)).type).toBe('absent')
  })

  test('waits for a certificate that is not too old, and signed', () => {
    const oldest = addNs(time, CERTIFICATE_AGE_NS_MAX)
    expect(read(UNKNOWN, { now: oldest }).type).toBe('certificate')
    for (const changes of [
      { now: addNs(oldest, 1n) },
      { signature: () => undefined },
      { certified: undefined },
    ])
      expect(read(UNKNOWN, changes)).toMatchObject({ type: 'refused', status: 503 })
  })
})
