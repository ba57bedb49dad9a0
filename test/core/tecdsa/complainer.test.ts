/**
 * Goal: a complaint is the same bytes whenever it is made, and no two complaints share a nonce: who
 * sees two under one has the encryption key.
 * Method: threshold specification §§3.8, 10.1. The nonce point of a proof is public: z·g − c·pk.
 */
import { expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodePoint, mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import { Complainer } from '../../../src/core/tecdsa/complainer.ts'
import { decodeComplaint } from '../../../src/core/tecdsa/complaint.ts'
import { encodeDealing } from '../../../src/core/tecdsa/dealing-codec.ts'
import { decodeSignedDealing, encodeSignedDealing } from '../../../src/core/tecdsa/evidence.ts'
import { RunLedger } from '../../../src/core/tecdsa/run-ledger.ts'
import { keyContext, runFrame, suites } from '../../../src/core/tecdsa/signer-config.ts'
import { firstStanding } from '../../../src/core/tecdsa/standing.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { foundSubnet } from '../../support/founded.ts'
import { dealAll, makeNodes } from '../../support/threshold.ts'

const { genesis, keys } = foundSubnet(4)
const own = present(keys[0], 'a node')
const nodes = makeNodes(4)
const dealings = dealAll({
  operation: { type: 'randomUnmasked' },
  dealers: nodes,
  receivers: nodes,
  id: 1n,
})

/** The nonce point of the complaint of node 0 that a transcript took this dealing of this dealer. */
function nonceOf(dealerIndex: number, dealt: number, transcripts = 1): string {
  const frame = { genesis, keys: own, me: 0, ed25519: nativeEd25519, records: new Map() }
  const standing = firstStanding(genesis)
  const config = { ...frame, roster: standing.roster, mainKey: '', stockTarget: 0, creationMax: 1 }
  const { incarnation } = genesis
  const suite = suites.ecdsa
  const ledger = new RunLedger({ ...runFrame(config, standing), suite, incarnation, kept: [] })
  const runs = Array.from({ length: transcripts }, () => ledger.open({ type: 'randomUnmasked' }))
  const run = present(runs.at(-1), 'a transcript')
  const dealing = present(dealings.get(dealt), 'a dealing')
  const statement = {
    transcriptId: run.parameters.id,
    dealer: dealerIndex,
    dealing: encodeDealing(suite, dealing),
    signature: new Uint8Array(64),
  }
  run.taken.set(dealerIndex, {
    signed: decodeSignedDealing(encodeSignedDealing(statement)),
    dealing,
  })
  const complainer = new Complainer({ ...keyContext(config, 'ecdsa', suite), runs: ledger })
  complainer.dispute(run, [dealerIndex])
  const [sent] = complainer.work() ?? []
  if (sent?.type !== 'send' || sent.message.type !== 'complaint') throw new Error('no complaint')
  const { challenge, response } = decodeComplaint(suite, sent.message.signed.complaint).proof
  const publicKey = own.encryptionKey.publicKey
  const point = group.add(
    group.g.multiplyPublic(response),
    group.multiplyPublic(publicKey, mod(-challenge, group.order)),
  )
  return toHex(encodePoint(group, point))
}

test('a complaint made again has its nonce, every other complaint another one', () => {
  expect(nonceOf(1, 1)).toBe(nonceOf(1, 1))
  const nonces = [nonceOf(1, 1), nonceOf(1, 2), nonceOf(2, 1), nonceOf(1, 1, 2)]
  expect(new Set(nonces).size).toBe(nonces.length)
})
