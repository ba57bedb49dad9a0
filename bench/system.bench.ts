/**
 * Benchmarks D2, D3, D6 and D10: all signers in one process, no network delay. Source: performance
 * specification §7.
 */
import { sign } from 'node:crypto'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { utf8 } from '../src/core/base/bytes.ts'
import { derivePublicKey, masterKey } from '../src/core/base/derivation.ts'
import { assert, present } from '../src/core/base/errors.ts'
import { mod } from '../src/core/base/group.ts'
import { faultyMax } from '../src/core/base/party.ts'
import { verifyEcdsa } from '../src/core/base/verification.ts'
import { openDealing } from '../src/core/tecdsa/dealing.ts'
import { decodeDealing, encodeDealing } from '../src/core/tecdsa/dealing-codec.ts'
import type { SignatureShare } from '../src/core/tecdsa/signature.ts'
import { combine, createShare } from '../src/core/tecdsa/signature.ts'
import type { Suite } from '../src/core/tecdsa/suite.ts'
import { createTranscript } from '../src/core/tecdsa/transcript.ts'
import { nativeEd25519 } from '../src/native/ed25519.ts'
import type { Log } from '../test/support/sequencer.ts'
import { opensslKey } from './host.bench.ts'
import {
  deal,
  freshParameters,
  presignatureSharings,
  signingInputs,
  verifyAll,
} from './protocol.bench.ts'
import type { Committee, Sharing } from './support/committee.ts'
import { committeeOf, presignatureSharesOf, suite } from './support/committee.ts'
import { Counts, countingEd25519 } from './support/counting.ts'
import { countsOf, floorOf } from './support/floor.ts'
import { digests } from './support/inputs.ts'
import { LogMesh } from './support/log-mesh.ts'
import { BENCH_KEY, SignerLoop } from './support/signers.ts'
import type { Benchmark, Prepared, Task } from './support/task.ts'
import { peer, task } from './support/task.ts'

/** More than any run can make. */
const STOCK_UNBOUNDED = 1_000_000

const bench = (id: string, name: string, n: number, prepare: () => Prepared): Benchmark => ({
  id,
  name,
  group: 'secp256k1',
  n,
  prepare,
})

/** What one node does for one presignature with the curve alone, all dealers checked (§5). */
function oneNode(ofSuite: Suite, committee: Committee, count: (sharing: Sharing) => Sharing): void {
  const sharings = presignatureSharings(committee).map(count)
  for (const sharing of sharings) deal(ofSuite, sharing, 0)
  verifyAll(ofSuite, sharings)
  for (const sharing of sharings) load(ofSuite, committee, sharing)
}

function load(ofSuite: Suite, { nodes }: Committee, sharing: Sharing): void {
  const { parameters, dealings, taken } = sharing
  const { key } = present(nodes[0], 'a committee has a first node')
  for (const [dealerIndex, dealing] of dealings.entries()) {
    const decoded = decodeDealing(ofSuite, encodeDealing(suite, dealing))
    openDealing(ofSuite, { parameters, dealerIndex }, decoded, { receiverIndex: 0, key })
  }
  createTranscript(ofSuite, freshParameters(parameters), new Map(taken))
}

function presignatureBench(n: number): Benchmark {
  return bench('D2', 'presignature', n, () => {
    const ed25519 = new Counts()
    const loop = new SignerLoop({
      nodes: n,
      ed25519: countingEd25519(nativeEd25519, ed25519),
      stockTarget: STOCK_UNBOUNDED,
    })
    let stock = 1
    loop.fill(stock)
    const before = {
      messages: loop.messages,
      bytes: loop.bytes,
      counts: new Counts().plus(ed25519),
    }
    loop.fill(++stock)
    const messages = (loop.messages - before.messages) / n
    const kilobytes = (loop.bytes - before.bytes) / n / 1_000
    const signatures = ed25519.plus(before.counts, -1)
    const curve = countsOf((counting, count) => oneNode(counting, committeeOf(n), count))
    return {
      own: task(
        () => {
          loop.fill(++stock)
          return loop.stock
        },
        (made) => Uint8Array.of(made & 0xff),
      ),
      floor: floorOf(signatures.plus(curve, n)),
      rate: { perCall: 60, unit: '/min' },
      gates: [{ of: 'overhead', relation: '<=', bound: 1.3 }],
      note: `a node sends ${messages.toFixed(0)} messages, ${kilobytes.toFixed(0)} kB`,
    }
  })
}

/** D3: every node derives the inputs, gives its share, combines the first t and verifies. */
function signCoreBench(n: number): Benchmark {
  return bench('D3', 'sign-core', n, () => {
    const committee = committeeOf(n)
    const everyNode = (i: number): Uint8Array => {
      const views = committee.nodes.map(() => signingInputs(committee, i))
      const shares = new Map(
        views.map((inputs, node) => [
          node,
          createShare(suite, inputs, presignatureSharesOf(committee, node)),
        ]),
      )
      const signatures = views.map((inputs) => {
        const { result } = combine(suite, inputs, shares)
        assert(!('refusal' in result), 'good shares combine')
        return result.signature
      })
      return present(signatures[0], 'a committee has a first node')
    }
    const { key, sign: nobleSign } = oneSigner()
    return {
      own: task(everyNode, (bytes) => bytes),
      peers: {
        noble: peer.yardstick(task(nobleSign, (bytes) => bytes)),
        openssl: peer.yardstick(
          task(
            (i) => sign('sha256', digests(i), key),
            (bytes) => bytes,
          ),
        ),
      },
      note: `all ${n} nodes; peers: one signature by one holder of a key`,
    }
  })
}

function oneSigner(): {
  readonly key: { readonly key: ReturnType<typeof opensslKey>; readonly dsaEncoding: 'ieee-p1363' }
  readonly sign: (index: number) => Uint8Array
} {
  const secretKey = new Uint8Array(32).fill(7)
  return {
    key: { key: opensslKey(secretKey), dsaEncoding: 'ieee-p1363' },
    sign: (index) => noble.sign(digests(index), secretKey, { prehash: false }),
  }
}

/** D6: as D3, with f nodes whose shares come first and are false. */
function faultyBench(n: number): Benchmark {
  return bench('D6', 'sign-one-faulty', n, () => {
    const committee = committeeOf(n)
    const liars = faultyMax(n)
    const byEveryNode = (lies: number) => (i: number) => {
      const views = committee.nodes.map(() => signingInputs(committee, i))
      const shares = new Map(
        views.map((inputs, node) => {
          const share = createShare(suite, inputs, presignatureSharesOf(committee, node))
          return [node, node < lies ? falseShare(share) : share] as const
        }),
      )
      const signatures = views.map((inputs) => {
        const { result, blamed } = combine(suite, inputs, shares)
        assert(!('refusal' in result) && blamed.length === lies, 'liars are found')
        return result.signature
      })
      return present(signatures[0], 'a committee has a first node')
    }
    return {
      own: task(byEveryNode(liars), (bytes) => bytes),
      peers: { 'sign-core': peer.same(task(byEveryNode(0), (bytes) => bytes)) },
      // At most three times as long.
      gates: [{ of: 'sign-core', relation: '>=', bound: 1 / 3 }],
      note: `${liars} of ${n} nodes lie, and every node hears them first`,
    }
  })
}

const falseShare = ({ nu, mu }: SignatureShare): SignatureShare => ({
  nu: { ...nu, value: mod(nu.value + 1n, suite.group.order) },
  mu,
})

/** A request through slot, tape and signers, one at a time; the key is the loop's. */
function requestsTo(loop: SignerLoop): Task {
  const path = [utf8('bench')]
  const { publicKey } = derivePublicKey(masterKey(loop.publicKey), path)
  const key = { scheme: 'ecdsa', name: BENCH_KEY } as const
  const taprootRoot = undefined
  const run = (i: number): { readonly digest: Uint8Array; readonly signature: Uint8Array } => {
    const digest = digests(i)
    const request = { id: digest, key, path, message: digest, taprootRoot }
    return { digest, signature: loop.sign(request) }
  }
  const own = task(run, ({ digest, signature }) => {
    assert(verifyEcdsa({ publicKey, digest, signature }, { lowS: true }), 'it verifies')
    return signature
  })
  return { ...own, before: () => loop.settle() }
}

/**
 * D10, over the log of the nodes. The stock, if there is one, is filled again outside the timed part;
 * the first steps of the next presignature fall into it.
 */
function signLogBench(n: number, stock: 'stock' | 'no-stock'): Benchmark {
  const [name, stockTarget] = stock === 'stock' ? ['sign-log', 1] : ['sign-log-no-stock', 0]
  return bench('D10', String(name), n, () => {
    const over = (log: Log | undefined): SignerLoop => {
      const options = { nodes: n, ed25519: nativeEd25519, stockTarget: Number(stockTarget) }
      const loop = new SignerLoop({ ...options, ...(log === undefined ? {} : { log }) })
      loop.settle()
      return loop
    }
    const mesh = new LogMesh(n, nativeEd25519)
    const own = requestsTo(over(mesh))
    const before = { messages: mesh.messages, bytes: mesh.bytes }
    own.before?.(0)
    own.call(0)
    const kilobytes = (mesh.bytes - before.bytes) / 1_000
    return {
      own,
      peers: { sequencer: peer.yardstick(requestsTo(over(undefined))) },
      note: `of the log ${mesh.messages - before.messages} messages, ${kilobytes.toFixed(0)} kB together`,
    }
  })
}

export const systemBenchmarks = (n: number): readonly Benchmark[] => [
  presignatureBench(n),
  signCoreBench(n),
  faultyBench(n),
  signLogBench(n, 'stock'),
  signLogBench(n, 'no-stock'),
]
