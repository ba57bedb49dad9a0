/** Benchmarks C: steps of one node. Source: performance specification §7. */
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { concat, utf8 } from '../src/core/base/bytes.ts'
import { assert, present } from '../src/core/base/errors.ts'
import type { NodeIndex } from '../src/core/base/party.ts'
import { reconstructionThreshold } from '../src/core/base/party.ts'
import { createDealing, verifyDealing } from '../src/core/tecdsa/dealing.ts'
import { encodeDealing } from '../src/core/tecdsa/dealing-codec.ts'
import { encodeSignatureShare } from '../src/core/tecdsa/object-codec.ts'
import type { Operation, TranscriptParameters } from '../src/core/tecdsa/parameters.ts'
import type { SignatureShare, SigningInputs } from '../src/core/tecdsa/signature.ts'
import { combine, createShare, publicInputs } from '../src/core/tecdsa/signature.ts'
import type { Suite } from '../src/core/tecdsa/suite.ts'
import { nativeEd25519 } from '../src/native/ed25519.ts'
import type { Committee, Sharing } from './support/committee.ts'
import { committeeOf, presignatureOf, presignatureSharesOf, suite } from './support/committee.ts'
import { countsOf, floorOf } from './support/floor.ts'
import { benchSeed, digests } from './support/inputs.ts'
import type { Benchmark, Gate, Prepared } from './support/task.ts'
import { peer, task } from './support/task.ts'

const secretKey = new Uint8Array(32).fill(7)
/** Sizes that bound an overhead: below, hashing and drawing weigh more than the curve. */
const GATED_NODES_MIN = 13

const bench = (id: string, name: string, n: number, prepare: () => Prepared): Benchmark => ({
  id,
  name,
  group: 'secp256k1',
  n,
  prepare,
})

const overheadGate = (n: number, bound: number): readonly Gate[] =>
  n < GATED_NODES_MIN ? [] : [{ of: 'overhead', relation: '<=', bound }]

/**
 * The same operation over copies of its inputs, so that nothing is known of them from an earlier
 * call.
 */
export function freshParameters(parameters: TranscriptParameters): TranscriptParameters {
  return { ...parameters, operation: freshOperation(parameters.operation) }
}

function freshOperation(operation: Operation): Operation {
  const copy = <T extends { readonly commitment: object }>(transcript: T): T => ({
    ...transcript,
    commitment: { ...transcript.commitment },
  })
  switch (operation.type) {
    case 'random':
    case 'randomUnmasked':
      return operation
    case 'reshareOfMasked':
    case 'reshareOfUnmasked':
      return { ...operation, input: copy(operation.input) }
    case 'unmaskedTimesMasked':
      return { ...operation, left: copy(operation.left), right: copy(operation.right) }
  }
}

/** C1: one dealing of one dealer, encoded and signed. */
export function deal(
  ofSuite: Suite,
  { parameters, dealerShares }: Sharing,
  index: number,
): Uint8Array {
  const dealerIndex = index % dealerShares.length
  const shares = present(dealerShares[dealerIndex], 'a dealer has its shares')
  const seed = benchSeed(`deal ${parameters.id} ${index}`)
  const dealing = createDealing(ofSuite, { parameters, dealerIndex }, { shares, seed })
  return encodeDealing(ofSuite, dealing)
}

function dealBench(name: string, n: number, of: (committee: Committee) => Sharing): Benchmark {
  return bench('C1', name, n, () => {
    const sharing = of(committeeOf(n))
    const counts = countsOf((counting, count) => void deal(counting, count(sharing), 0))
    counts.add('sign')
    return {
      own: task(
        (i) => {
          const bytes = deal(suite, sharing, i)
          return concat(bytes, nativeEd25519.sign(secretKey, bytes))
        },
        (bytes) => bytes,
      ),
      floor: floorOf(counts),
      gates: overheadGate(n, 1.7),
    }
  })
}

/** C2: what one node checks in public of one presignature: every dealing of every dealer. */
export function verifyAll(ofSuite: Suite, sharings: readonly Sharing[]): number {
  let good = 0
  for (const { parameters, dealings } of sharings) {
    const fresh = freshParameters(parameters)
    for (const [dealerIndex, dealing] of dealings.entries())
      if (verifyDealing(ofSuite, { parameters: fresh, dealerIndex }, dealing) === undefined) good++
  }
  return good
}

export const presignatureSharings = (committee: Committee): readonly Sharing[] => [
  committee.kappa,
  committee.lambda,
  committee.kappaLambda,
  committee.keyLambda,
]

function verifyBench(n: number): Benchmark {
  return bench('C2', 'verify-public', n, () => {
    const sharings = presignatureSharings(committeeOf(n))
    return {
      own: task(
        () => {
          const good = verifyAll(suite, sharings)
          assert(good === 4 * n, 'every dealing is good')
          return good
        },
        (good) => Uint8Array.of(good),
      ),
      floor: floorOf(countsOf((counting) => void verifyAll(counting, sharings))),
      gates: overheadGate(n, 1.3),
      note: `${4 * n} dealings a call`,
    }
  })
}

export const signingInputs = (committee: Committee, index: number): SigningInputs => {
  const inputs = publicInputs(suite, {
    key: committee.key.transcript,
    presignature: presignatureOf(committee),
    path: [utf8('bench')],
    digest: digests(index),
    nonce: digests(index + 1),
  })
  assert(!('refusal' in inputs), 'a nonce gives a usable R')
  return inputs
}

/** The shares of the first t nodes. */
function firstShares(
  committee: Committee,
  inputs: SigningInputs,
): ReadonlyMap<NodeIndex, SignatureShare> {
  const t = reconstructionThreshold(committee.n)
  return new Map(
    Array.from({ length: t }, (_, i) => [
      i,
      createShare(suite, inputs, presignatureSharesOf(committee, i)),
    ]),
  )
}

function shareBench(n: number): Benchmark {
  return bench('C6', 'share', n, () => {
    const committee = committeeOf(n)
    const [shares, inputs] = [presignatureSharesOf(committee, 0), signingInputs(committee, 0)]
    return {
      own: task(
        () => createShare(suite, inputs, shares),
        (share) => encodeSignatureShare(suite, share),
      ),
      note: 'from public inputs; deriving those is timed in D3',
    }
  })
}

function combineBench(n: number): Benchmark {
  return bench('C8', 'sign-combine', n, () => {
    const committee = committeeOf(n)
    const ready = Array.from({ length: 8 }, (_, i) => {
      const inputs = signingInputs(committee, i)
      return { inputs, shares: firstShares(committee, inputs) }
    })
    const own = (i: number): Uint8Array => {
      const { inputs, shares } = present(ready[i % ready.length], 'eight are ready')
      const { result } = combine(suite, inputs, shares)
      assert(!('refusal' in result), 'good shares combine')
      return result.signature
    }
    const { inputs } = present(ready[0], 'eight are ready')
    const signature = own(0)
    const plain = (): boolean =>
      noble.verify(signature, digests(0), inputs.publicKey, { prehash: false })
    assert(plain(), 'the signature is one of plain ECDSA')
    return {
      own: task(own, (bytes) => bytes),
      peers: { 'ecdsa-verify': peer.yardstick(task(plain, (good) => Uint8Array.of(+good))) },
      // At most twice a plain verification.
      gates: [{ of: 'ecdsa-verify', relation: '>=', bound: 0.5 }],
    }
  })
}

export const protocolBenchmarks = (n: number): readonly Benchmark[] => [
  dealBench('deal-kappa', n, ({ kappa }) => kappa),
  dealBench('deal-lambda', n, ({ lambda }) => lambda),
  dealBench('deal-product', n, ({ keyLambda }) => keyLambda),
  dealBench('deal-reshare', n, ({ key }) => key),
  verifyBench(n),
  shareBench(n),
  combineBench(n),
]
