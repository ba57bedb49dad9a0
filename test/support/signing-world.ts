/**
 * A running subnet whose operator asks for signatures: what its nodes tell of them, as the file that
 * the command writes, and all secrets that they had meanwhile, computed from their keys and the log.
 */

import { transcriptText } from '../../src/commands/signer/transcript-file.ts'
import { bigEndian, equalBytes, fromHex, toHex } from '../../src/core/base/bytes.ts'
import { attempt, BadEncoding, present } from '../../src/core/base/errors.ts'
import type { KeyScheme } from '../../src/core/base/key-scheme.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { decodePublicKey } from '../../src/core/ic/public-key.ts'
import { subnetPrincipal } from '../../src/core/subnet/certified-state.ts'
import { decodeItem } from '../../src/core/subnet/items.ts'
import type { OperatorRequest } from '../../src/core/subnet/operator-requests.ts'
import {
  decodeOperatorRequest,
  encodeOperatorRequest,
  OPERATOR_KEY,
  operatorContent,
  operatorKey,
  operatorRequestId,
} from '../../src/core/subnet/operator-requests.ts'
import { decodePeerMessage, encodePeerMessage } from '../../src/core/subnet/peer-message.ts'
import { makeKeyLanes } from '../../src/core/tecdsa/key-lanes.ts'
import { decodeSignerMessage, encodeSignerMessage } from '../../src/core/tecdsa/message.ts'
import type { Run } from '../../src/core/tecdsa/run.ts'
import { dealingsOf, finalOf } from '../../src/core/tecdsa/run.ts'
import { unseal } from '../../src/core/tecdsa/secret.ts'
import { runFrame } from '../../src/core/tecdsa/signer-config.ts'
import type { SigningReport } from '../../src/core/tecdsa/signing-report.ts'
import { firstStanding } from '../../src/core/tecdsa/standing.ts'
import type { Suite } from '../../src/core/tecdsa/suite.ts'
import { Tape } from '../../src/core/tecdsa/tape.ts'
import { loadShares } from '../../src/core/tecdsa/transcript.ts'
import { signingTranscript } from '../../src/host/control/signing-transcript.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { inLane } from './lanes.ts'
import { SubnetNet } from './subnet-net.ts'

const operator = devUser(4)
const PHASES = { presign: 1.5, sign: 2, combine: 0.1, order: undefined, total: 4 }

export type Wish = Pick<OperatorRequest, 'scheme' | 'message' | 'taprootRoot' | 'only'>

export class SigningWorld {
  readonly net: SubnetNet
  #count = 0

  constructor(nodes: number) {
    this.net = new SubnetNet(nodes)
    this.net.settle()
  }

  /** The share of this node in every signature from now on is false, or `undefined`. */
  lie(liar: NodeIndex | undefined): void {
    this.net.tamper = (bytes, from) => (from === liar ? falsified(bytes) : bytes)
  }

  /** Hands a request to the nodes; its id. */
  ask(wish: Wish): Uint8Array {
    const request: OperatorRequest = {
      ...wish,
      nonce: new Uint8Array(16).fill(this.#count++),
      path: [Uint8Array.of(1), Uint8Array.of()],
    }
    const { genesis } = this.net
    const { key: publicKey } = decodePublicKey(operator.publicKeyDer)
    const signature = operator.sign(operatorContent(genesis, request))
    this.net.operatorRequest(encodeOperatorRequest({ request, publicKey, signature }))
    return operatorRequestId(genesis, request)
  }

  /** What each node that combined tells of a request, in the order they did. */
  reports(id: Uint8Array): readonly SigningReport[] {
    return this.net.observed.flatMap(({ event }) =>
      event.type === 'signingReport' && equalBytes(event.requestId, id) ? [event.report] : [],
    )
  }

  /** Signs, and gives the file. */
  transcript(wish: Wish): string {
    const id = this.ask(wish)
    const report = present(this.reports(id)[0], 'a node has combined')
    const caller = subnetPrincipal(
      present(this.net.backend.rootKey, 'a root is certified').slice(-96),
    )
    const transcript = signingTranscript({
      report,
      genesis: this.net.genesis,
      request: {
        scheme: wish.scheme,
        keyId: OPERATOR_KEY,
        path: [caller, Uint8Array.of(1), Uint8Array.of()].map(toHex),
        taprootRoot: wish.taprootRoot && toHex(wish.taprootRoot),
        only: wish.only.length === 0 ? undefined : wish.only.map((node) => node + 1),
      },
      ms: PHASES,
    })
    const message = toHex(present(wish.message, 'something is signed'))
    return transcriptText({ transcript, message, version: '0.0.0' })
  }

  /** Of every node: seeds, keys, and shares of every final sharing, 32 bytes each. */
  secrets(): readonly Uint8Array[] {
    return [...this.net.nodes.keys()].flatMap((me) => [...this.#keysOf(me), ...this.#shares(me)])
  }

  #keysOf(me: NodeIndex): readonly Uint8Array[] {
    const { keys } = this.net.configOf(me)
    const root = Seed.fromBytes(new TextEncoder().encode('subnet-net'))
    const seeds = [...this.net.nodes.keys()].map((i) => root.derive(`${i}`))
    const own = seeds.map((seed) => seed.derive('ckbtc-node-signing-key').generator().bytes(32))
    return [...own, bigEndian(unseal(keys.encryptionKey.secret), 32)]
  }

  /** The log played again to see which sharings there were: a node's shares follow from its key. */
  #shares(me: NodeIndex): readonly Uint8Array[] {
    const config = { ...this.net.configOf(me), records: new Map(), mainKey: 'key_1' }
    const { incarnation } = this.net.genesis
    const noKey = {
      transcriptId: undefined,
      share: () => undefined,
      combine: () => ({ signature: undefined, blamed: [] }),
      verify: () => false,
    }
    const tape = new Tape({ key: noKey, incarnation })
    const standing = firstStanding(this.net.genesis)
    const frame = runFrame(config, standing)
    const ofNode = { ...config, roster: standing.roster }
    const lanes = makeKeyLanes(ofNode, { frame, kept: undefined, tape })
    for (const slot of this.net.slots) {
      for (const bytes of slot.items) {
        const item = attempt(() => decodeItem(bytes))
        if (item instanceof BadEncoding) continue
        if (item.type === 'dealing' && item.lane !== 'bls')
          lanes[item.lane].takeDealing(item.dealing)
        if (item.type === 'operator') this.#enqueue(lanes, item.request)
      }
      for (const lane of Object.values(lanes)) lane.endSlot(slot.number)
    }
    const { keys } = config
    const recipient = { receiverIndex: me, key: keys.encryptionKey }
    const opened = (scheme: KeyScheme): readonly Uint8Array[] =>
      inLane(scheme, <P>(suite: Suite<P>) => {
        const runs = lanes[scheme].schedule.finalRuns() as readonly Run<P>[] // Of the same lane.
        return runs.flatMap((run) => {
          const { parameters } = run
          const toLoad = {
            parameters,
            transcript: finalOf(run),
            dealings: dealingsOf(run),
            recipient,
          }
          const loaded = loadShares(suite, toLoad)
          if (loaded.type !== 'loaded') return []
          const share = unseal(loaded.share)
          return [share.value, ...(share.type === 'pedersen' ? [share.mask] : [])].map((secret) =>
            bigEndian(secret, 32),
          )
        })
      })
    return [...opened('ecdsa'), ...opened('bip340'), ...opened('ed25519')]
  }

  #enqueue(lanes: ReturnType<typeof makeKeyLanes>, bytes: Uint8Array): void {
    const { request } = decodeOperatorRequest(bytes)
    const { scheme, message, taprootRoot, path } = request
    if (message === undefined) return
    const id = operatorRequestId(this.net.genesis, request)
    const { schedule } = lanes[scheme]
    if (!schedule.isOpen(id))
      schedule.enqueue({ id, key: operatorKey(scheme), path, message, taprootRoot })
  }
}

/** The last byte of a scalar of a signature share is another. */
function falsified(bytes: Uint8Array): Uint8Array {
  const peer = attempt(() => decodePeerMessage(bytes))
  if (peer instanceof BadEncoding || peer.type !== 'signer') return bytes
  const message = decodeSignerMessage(peer.bytes)
  if (message.type !== 'share') return bytes
  const share = message.share.slice()
  const place = share.length - 2
  share[place] = (share[place] ?? 0) ^ 1
  return encodePeerMessage({ type: 'signer', bytes: encodeSignerMessage({ ...message, share }) })
}

export const digest = fromHex('ab'.repeat(32))
