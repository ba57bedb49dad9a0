/**
 * Nodes with their finished transcripts, for timing single steps of the protocol. Source: threshold
 * specification §§7 to 9.
 */
import { compareBytes, fromBigEndian } from '../../src/core/base/bytes.ts'
import { assert, present } from '../../src/core/base/errors.ts'
import { secp256k1 } from '../../src/core/base/noble-secp256k1.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import type { Seed } from '../../src/core/base/seed.ts'
import type { Dealing } from '../../src/core/tecdsa/dealing.ts'
import { createDealing } from '../../src/core/tecdsa/dealing.ts'
import { decodeDealing, encodeDealing } from '../../src/core/tecdsa/dealing-codec.ts'
import type { DealerShares } from '../../src/core/tecdsa/dealing-draw.ts'
import type { MegaSecretKey } from '../../src/core/tecdsa/mega.ts'
import { generateMegaKey } from '../../src/core/tecdsa/mega.ts'
import type {
  Member,
  Operation,
  Transcript,
  TranscriptParameters,
} from '../../src/core/tecdsa/parameters.ts'
import { collectionThreshold } from '../../src/core/tecdsa/parameters.ts'
import type { Presignature, PresignatureShares } from '../../src/core/tecdsa/presignature.ts'
import type { SecretShare } from '../../src/core/tecdsa/secret.ts'
import { ecdsaSecp256k1 } from '../../src/core/tecdsa/suite.ts'
import { createTranscript, loadShares } from '../../src/core/tecdsa/transcript.ts'
import { entropy } from '../../src/host/entropy.ts'
import { benchSeed } from './inputs.ts'

export const suite = ecdsaSecp256k1(secp256k1)

type Node = { readonly key: MegaSecretKey; readonly member: Member }

/** A transcript in all its parts. Position = node index. */
export type Sharing = {
  readonly parameters: TranscriptParameters
  readonly dealerShares: readonly DealerShares[]
  /** One of every dealer, decoded from its bytes. */
  readonly dealings: readonly Dealing[]
  /** The first c of them, which make the transcript. */
  readonly taken: ReadonlyMap<NodeIndex, Dealing>
  readonly transcript: Transcript
  readonly shares: readonly SecretShare[]
}

/**
 * A key and one presignature, with every share of every node: what only a benchmark holds in one
 * place.
 */
export type Committee = {
  readonly n: number
  readonly nodes: readonly Node[]
  readonly secret: Sharing
  readonly key: Sharing
  readonly kappa: Sharing
  readonly lambda: Sharing
  readonly kappaLambda: Sharing
  readonly keyLambda: Sharing
}

const known = new Map<number, Committee>()

/** Built once for each n. */
export function committeeOf(n: number): Committee {
  const committee = known.get(n) ?? found(n)
  known.set(n, committee)
  return committee
}

function found(n: number): Committee {
  const seed = benchSeed(`committee ${n}`)
  const nodes = Array.from({ length: n }, (_, i) => nodeOf(seed.derive(`node ${i}`))).toSorted(
    (a, b) => compareBytes(a.member.id, b.member.id),
  )
  const none = nodes.map((): DealerShares => ({ type: 'none' }))
  const share = (id: bigint, operation: Operation, dealerShares: readonly DealerShares[]) =>
    shareOut({ nodes, seed, id, operation, dealerShares })
  const product = (id: bigint, left: Sharing, right: Sharing) =>
    share(
      id,
      { type: 'unmaskedTimesMasked', left: left.transcript, right: right.transcript },
      nodes.map((_, i) => ({ type: 'product', left: of(left, i), right: of(right, i) })),
    )
  const secret = share(0n, { type: 'random' }, none)
  const key = share(
    1n,
    { type: 'reshareOfMasked', input: secret.transcript },
    nodes.map((_, i) => ({ type: 'reshare', share: of(secret, i) })),
  )
  const kappa = share(2n, { type: 'randomUnmasked' }, none)
  const lambda = share(3n, { type: 'random' }, none)
  const [kappaLambda, keyLambda] = [product(4n, kappa, lambda), product(5n, key, lambda)]
  return { n, nodes, secret, key, kappa, lambda, kappaLambda, keyLambda }
}

const of = ({ shares }: Sharing, node: NodeIndex): SecretShare =>
  present(shares[node], 'every node has a share')

function nodeOf(seed: Seed): Node {
  const id = seed.derive('id').generator().bytes(32)
  const key = generateMegaKey(suite, seed.derive('key').generator())
  return { key, member: { id, megaKey: secp256k1.fixedBase(key.publicKey) } }
}

type Wanted = Pick<Sharing, 'dealerShares'> & {
  readonly nodes: readonly Node[]
  readonly seed: Seed
  readonly id: bigint
  readonly operation: Operation
}

function shareOut({ nodes, seed, id, operation, dealerShares }: Wanted): Sharing {
  const members = nodes.map(({ member }) => member)
  const parameters: TranscriptParameters = {
    id,
    algorithm: suite.algorithm,
    dealers: members,
    receivers: members,
    operation,
    membershipVersion: 1n,
    subnetId: new Uint8Array(32),
    sourceHeight: 0n,
  }
  const dealings = dealerShares.map((shares, dealerIndex) => {
    const own = { shares, seed: seed.derive(`dealing ${id} ${dealerIndex}`) }
    const dealing = createDealing(suite, { parameters, dealerIndex }, own)
    return decodeDealing(suite, encodeDealing(suite, dealing))
  })
  const taken = new Map([...dealings.entries()].slice(0, collectionThreshold(parameters)))
  const transcript = createTranscript(suite, parameters, taken)
  assert(!('refusal' in transcript), 'good dealings combine')
  const shares = nodes.map(({ key }, receiverIndex) => {
    const recipient = { receiverIndex, key }
    const load = { parameters, transcript, dealings: taken, recipient }
    const loaded = loadShares(suite, load, () => fromBigEndian(entropy(16)))
    assert(loaded.type === 'loaded', 'good dealings open')
    return loaded.share
  })
  return { parameters, dealerShares, dealings, taken, transcript, shares }
}

export const presignatureOf = (committee: Committee): Presignature => ({
  kappa: committee.kappa.transcript,
  lambda: committee.lambda.transcript,
  kappaLambda: committee.kappaLambda.transcript,
  keyLambda: committee.keyLambda.transcript,
})

export const presignatureSharesOf = (
  committee: Committee,
  node: NodeIndex,
): PresignatureShares => ({
  lambda: of(committee.lambda, node),
  kappaLambda: of(committee.kappaLambda, node),
  keyLambda: of(committee.keyLambda, node),
})
