/**
 * The whole ECDSA run that the Internet Computer publishes: threshold specification Annex A.3, n = 5,
 * t = 2. Rounds Random, κ, λ, ReshareOfMasked, xλ, κλ, then one signature.
 */
import { u32be, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import { secp256k1 } from '../../src/core/base/noble-secp256k1.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import type { Generator } from '../../src/core/base/seed.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { Dealing } from '../../src/core/tecdsa/dealing.ts'
import { createDealing, openDealing, verifyDealing } from '../../src/core/tecdsa/dealing.ts'
import { decodeDealing, encodeDealing } from '../../src/core/tecdsa/dealing-codec.ts'
import type { DealerShares } from '../../src/core/tecdsa/dealing-draw.ts'
import { generateMegaKey } from '../../src/core/tecdsa/mega.ts'
import type {
  Operation,
  Transcript,
  TranscriptParameters,
} from '../../src/core/tecdsa/parameters.ts'
import type { SecretShare } from '../../src/core/tecdsa/secret.ts'
import type { SigningInputs } from '../../src/core/tecdsa/signature.ts'
import { combine, createShare, publicInputs } from '../../src/core/tecdsa/signature.ts'
import { combineOpened, createTranscript } from '../../src/core/tecdsa/transcript.ts'
import { suite } from './threshold.ts'

const NODES = 5
const lowBytes = (generator: Generator): Uint8Array =>
  Uint8Array.from(generator.words(32), (word) => word & 0xff)

const root = Seed.fromBytes(
  utf8('ic-crypto-tecdsa-fixed-seed-for-k256-unmasked-kappa-stability-test'),
)
const setup = root.derive('setup').generator()
export const associatedData = lowBytes(setup)
export const keys = Array.from({ length: NODES }, () => generateMegaKey(suite, setup))
const protocol = Seed.fromGenerator(setup)
export const members = keys.map(({ publicKey }, i) => ({
  id: Uint8Array.of(i),
  megaKey: secp256k1.fixedBase(publicKey),
}))

export type Round = {
  readonly dealings: ReadonlyMap<NodeIndex, Dealing>
  readonly transcript: Transcript
  readonly shares: readonly SecretShare[]
}

function runRound(
  number: number,
  operation: Operation,
  shares: (dealer: number) => DealerShares,
): Round {
  const parameters: TranscriptParameters = {
    id: BigInt(number),
    algorithm: 'ThresholdEcdsaSecp256k1',
    dealers: members,
    receivers: members,
    operation,
    membershipVersion: 0n,
    subnetId: new Uint8Array(),
    sourceHeight: 0n,
  }
  const seeds = protocol.derive(`ic-crypto-tecdsa-round-${number}`).generator()
  const dealings = new Map<NodeIndex, Dealing>()
  const opened = members.map(() => new Map<NodeIndex, SecretShare>())
  for (let dealerIndex = 0; dealerIndex < NODES; dealerIndex++) {
    const context = { parameters, dealerIndex, associatedData }
    const seed = Seed.fromGenerator(seeds)
    const dealing = createDealing(suite, context, { shares: shares(dealerIndex), seed })
    const decoded = decodeDealing(suite, encodeDealing(suite, dealing))
    if (verifyDealing(suite, context, decoded) !== undefined) throw new Error('a bad dealing')
    for (const [receiverIndex, key] of keys.entries()) {
      const share = openDealing(suite, context, decoded, { receiverIndex, key })
      opened[receiverIndex]?.set(dealerIndex, present(share, 'every dealing opens'))
    }
    dealings.set(dealerIndex, decoded)
  }
  const transcript = createTranscript(suite, parameters, dealings)
  if ('refusal' in transcript) throw new Error(transcript.detail)
  const loaded = opened.map((own, receiverIndex) =>
    combineOpened(suite, { transcript, receiverIndex, opened: own }),
  )
  return { dealings, transcript, shares: loaded }
}

export const own = (round: Round, node: number): SecretShare =>
  present(round.shares[node], 'a share')
const none = (): DealerShares => ({ type: 'none' })
export const product =
  (left: Round, right: Round) =>
  (node: number): DealerShares => ({
    type: 'product',
    left: own(left, node),
    right: own(right, node),
  })

export const masked = runRound(0, { type: 'random' }, none)
export const kappa = runRound(1, { type: 'randomUnmasked' }, none)
export const lambda = runRound(2, { type: 'random' }, none)
export const key = runRound(3, { type: 'reshareOfMasked', input: masked.transcript }, (node) => ({
  type: 'reshare',
  share: own(masked, node),
}))
export const times = (left: Round): Operation => ({
  type: 'unmaskedTimesMasked',
  left: left.transcript,
  right: lambda.transcript,
})
export const keyLambda = runRound(4, times(key), product(key, lambda))
export const kappaLambda = runRound(5, times(kappa), product(kappa, lambda))

export const message = lowBytes(root.derive('message').generator())
export const nonce = lowBytes(root.derive('beacon').generator())
export const presignature = {
  kappa: kappa.transcript,
  lambda: lambda.transcript,
  kappaLambda: kappaLambda.transcript,
  keyLambda: keyLambda.transcript,
}
const asked = publicInputs(suite, {
  key: key.transcript,
  presignature,
  path: [u32be(1), u32be(2), u32be(3)],
  digest: sha256(message),
  nonce,
})
if ('refusal' in asked) throw new Error(asked.detail)
export const inputs: SigningInputs = asked
export const signatureShares = new Map(
  keys.map((_, node) => [
    node,
    createShare(suite, inputs, {
      lambda: own(lambda, node),
      kappaLambda: own(kappaLambda, node),
      keyLambda: own(keyLambda, node),
    }),
  ]),
)
const combined = combine(suite, inputs, signatureShares)
if (!('signature' in combined.result)) throw new Error(combined.result.detail)
export const { signature } = combined.result
