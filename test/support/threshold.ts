/**
 * Nodes and transcripts for tests of the threshold protocol, and what must never ship:
 * reconstruction of a secret.
 */
import { bigEndian, compareBytes, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { mod } from '../../src/core/base/group.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { Secp256k1Point } from '../../src/core/base/noble-secp256k1.ts'
import { secp256k1 } from '../../src/core/base/noble-secp256k1.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { Dealing } from '../../src/core/tecdsa/dealing.ts'
import { createDealing } from '../../src/core/tecdsa/dealing.ts'
import type { DealerShares } from '../../src/core/tecdsa/dealing-draw.ts'
import { lagrangeScalars } from '../../src/core/tecdsa/lagrange.ts'
import type { MegaSecretKey } from '../../src/core/tecdsa/mega.ts'
import { generateMegaKey } from '../../src/core/tecdsa/mega.ts'
import type {
  Member,
  Operation,
  Transcript,
  TranscriptParameters,
} from '../../src/core/tecdsa/parameters.ts'
import {
  collectionThreshold,
  dealerIndexOf,
  receiverIndexOf,
} from '../../src/core/tecdsa/parameters.ts'
import type { Opening, SecretShare } from '../../src/core/tecdsa/secret.ts'
import { unseal } from '../../src/core/tecdsa/secret.ts'
import { ecdsaSecp256k1 } from '../../src/core/tecdsa/suite.ts'
import { createTranscript, loadShares } from '../../src/core/tecdsa/transcript.ts'

export type Point = Secp256k1Point
export const suite = ecdsaSecp256k1(secp256k1)
export const { order } = secp256k1

/** Bytes that follow from a text: ids, digests, nonces. */
export const bytesOf = (text: string): Uint8Array => sha256(utf8(text))

export type TestNode = {
  readonly id: Uint8Array
  readonly key: MegaSecretKey
  readonly member: Member
}

const known = new Map<string, TestNode>()

/** The same node for the same name, so that the table of its key is built once. */
function nodeOf(name: string): TestNode {
  const id = bytesOf(name)
  const key = generateMegaKey(suite, Seed.fromBytes(id).generator())
  const node = known.get(name) ?? {
    id,
    key,
    member: { id, megaKey: secp256k1.fixedBase(key.publicKey) },
  }
  known.set(name, node)
  return node
}

/** Nodes in canonical order; another tag gives other nodes. */
export const makeNodes = (count: number, tag = 'a'): readonly TestNode[] =>
  inOrder(Array.from({ length: count }, (_, i) => nodeOf(`node ${tag} ${i}`)))

export const inOrder = (nodes: readonly TestNode[]): readonly TestNode[] =>
  nodes.toSorted((a, b) => compareBytes(a.id, b.id))

/** A finished transcript with everything that only a test has in one place. */
export type Run = {
  readonly parameters: TranscriptParameters
  readonly dealings: ReadonlyMap<NodeIndex, Dealing>
  readonly transcript: Transcript
  /** By receiver index. */
  readonly shares: readonly SecretShare[]
}

export type RunOf<Type extends Operation['type']> =
  | { readonly type: Type & ('random' | 'randomUnmasked') }
  | { readonly type: Type & ('reshareOfMasked' | 'reshareOfUnmasked'); readonly input: Run }
  | { readonly type: Type & 'unmaskedTimesMasked'; readonly left: Run; readonly right: Run }

export type Wanted = {
  readonly operation: RunOf<Operation['type']>
  readonly dealers: readonly TestNode[]
  readonly receivers: readonly TestNode[]
  /** Distinct for each transcript of a test. */
  readonly id: bigint
}

export function operationOf(operation: RunOf<Operation['type']>): Operation {
  switch (operation.type) {
    case 'random':
    case 'randomUnmasked':
      return { type: operation.type }
    case 'reshareOfMasked':
    case 'reshareOfUnmasked':
      return { type: operation.type, input: operation.input.transcript }
    case 'unmaskedTimesMasked':
      return {
        type: operation.type,
        left: operation.left.transcript,
        right: operation.right.transcript,
      }
  }
}

export const parametersOf = ({
  operation,
  dealers,
  receivers,
  id,
}: Wanted): TranscriptParameters => ({
  id,
  algorithm: 'ThresholdEcdsaSecp256k1',
  dealers: dealers.map((node) => node.member),
  receivers: receivers.map((node) => node.member),
  operation: operationOf(operation),
  membershipVersion: 1n,
  subnetId: bytesOf('subnet'),
  sourceHeight: 7n,
})

/** What a dealer has loaded of the inputs. */
export function sharesOf(operation: RunOf<Operation['type']>, dealer: TestNode): DealerShares {
  const own = ({ parameters, shares }: Run): SecretShare =>
    present(shares[receiverIndexOf(parameters, dealer.id) ?? -1], 'the dealer holds the input')
  switch (operation.type) {
    case 'random':
    case 'randomUnmasked':
      return { type: 'none' }
    case 'reshareOfMasked':
    case 'reshareOfUnmasked':
      return { type: 'reshare', share: own(operation.input) }
    case 'unmaskedTimesMasked':
      return { type: 'product', left: own(operation.left), right: own(operation.right) }
  }
}

/** The dealing of every dealer, by dealer index. */
export function dealAll(wanted: Wanted): Map<NodeIndex, Dealing> {
  const parameters = parametersOf(wanted)
  return new Map(
    wanted.dealers.map((dealer) => {
      const dealerIndex = present(dealerIndexOf(parameters, dealer.id), 'a dealer has an index')
      const seed = Seed.fromBytes(dealer.id).derive(`dealing ${wanted.id}`)
      const shares = sharesOf(wanted.operation, dealer)
      return [dealerIndex, createDealing(suite, { parameters, dealerIndex }, { shares, seed })]
    }),
  )
}

/** The transcript of some dealings, loaded by every receiver, or by the first few. */
export function finish(
  wanted: Wanted,
  dealings: ReadonlyMap<NodeIndex, Dealing>,
  loading = wanted.receivers.length,
): Run {
  const parameters = parametersOf(wanted)
  const transcript = createTranscript(suite, parameters, dealings)
  if ('refusal' in transcript) throw new Error(transcript.detail)
  const shares = wanted.receivers.slice(0, loading).map(({ key }, receiverIndex) => {
    const recipient = { receiverIndex, key }
    const loaded = loadShares(suite, { parameters, transcript, dealings, recipient })
    if (loaded.type !== 'loaded') throw new Error(`bad dealings: ${loaded.badDealers}`)
    return loaded.share
  })
  return { parameters, dealings, transcript, shares }
}

/** A transcript of the first c dealings. */
export function makeRun(wanted: Wanted): Run {
  const c = collectionThreshold(parametersOf(wanted))
  return finish(wanted, new Map([...dealAll(wanted)].slice(0, c)))
}

/** Interpolates at zero from the shares of some nodes. For tests alone. */
export function reconstruct(run: Pick<Run, 'shares'>, indices: readonly NodeIndex[]): Opening {
  const openings = indices.map((i) => unseal(present(run.shares[i], 'a share')))
  const weights = lagrangeScalars(indices, order)
  const at = (pick: (opening: Opening) => bigint): bigint =>
    openings.reduce((sum, opening, i) => mod(sum + (weights[i] ?? 0n) * pick(opening), order), 0n)
  const value = at((opening) => opening.value)
  if (openings[0]?.type === 'simple') return { type: 'simple', value }
  return { type: 'pedersen', value, mask: at((o) => (o.type === 'pedersen' ? o.mask : 0n)) }
}

/** All subsets of `size` out of 0 … count − 1. */
export function subsets(count: number, size: number): number[][] {
  if (size === 0) return [[]]
  if (count < size) return []
  return [
    ...subsets(count - 1, size),
    ...subsets(count - 1, size - 1).map((subset) => [...subset, count - 1]),
  ]
}

export const bytes32 = (value: bigint): Uint8Array => bigEndian(value, 32)
