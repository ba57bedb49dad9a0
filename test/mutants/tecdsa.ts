/** Mutants of thresholds, sharing, proofs, dealings, transcripts, signing, complaints and restores. */
import type { Mutant } from './mutant.ts'

const tecdsa = (
  name: string,
  file: string,
  change: { readonly from: string; readonly to: string },
  ...tests: readonly string[]
): Mutant => ({
  name,
  file: `tecdsa/${file}.ts`,
  ...change,
  tests: tests.map(pathOf),
})

/** `refusals#proof` are tests of `core/tecdsa/refusals.test.ts`. */
function pathOf(test: string): string {
  if (test.includes('/')) return test
  const [file, named] = test.split('#')
  const path = `core/tecdsa/${file}.test.ts`
  return named === undefined ? path : `${path}#${named}`
}

const counting: readonly Mutant[] = [
  {
    name: 'f = ⌊n / 3⌋',
    file: 'base/party.ts',
    from: 'Math.floor((Math.max(nodes, 1) - 1) / 3)',
    to: 'Math.floor(Math.max(nodes, 1) / 3)',
    tests: ['core/tecdsa/parameters.test.ts'],
  },
  {
    name: 't = f: one share too few makes the secret',
    file: 'base/party.ts',
    from: 'faultyMax(nodes) + 1\n\n/** Support',
    to: 'Math.max(faultyMax(nodes), 1)\n\n/** Support',
    tests: [pathOf('transcript#4 nodes')],
  },
  {
    name: 'v = 2f: one supporter too few',
    file: 'base/party.ts',
    from: '2 * faultyMax(nodes) + 1',
    to: 'Math.max(2 * faultyMax(nodes), 1)',
    tests: [pathOf('evidence')],
  },
  tecdsa(
    'a product of 2f dealings',
    'parameters',
    { from: 'right.commitment.points.length - 1', to: 'right.commitment.points.length - 2' },
    'parameters',
    'transcript#4 nodes',
  ),
  tecdsa(
    'a transcript of c − 1 dealings',
    'transcript',
    { from: 'refuse(dealings.size >= c,', to: 'refuse(dealings.size >= c - 1,' },
    'refusals-signing#1 dealings',
  ),
  tecdsa(
    'a transcript of more than c dealings verifies',
    'transcript',
    { from: 'refuse(dealings.size === c,', to: 'refuse(dealings.size >= c,' },
    'transcript#refused',
  ),
  tecdsa(
    't − 1 shares make a signature',
    'signature',
    { from: 'if (shares.size < t) return', to: 'if (shares.size < t - 1) return' },
    'signature#combining',
  ),
  tecdsa(
    'recovery from t − 1 openings',
    'recovery',
    { from: 'if (openings.size < t)', to: 'if (openings.size < t - 1)' },
    'complaint',
  ),
]

const sharing: readonly Mutant[] = [
  tecdsa(
    'the first node is given the secret as its share',
    'lagrange',
    { from: 'return index + 1\n', to: 'return index\n' },
    'polynomial',
  ),
  tecdsa(
    'a Lagrange coefficient without its sign',
    'lagrange',
    { from: 'over < 0n ? -gcd(above, over) : gcd(above, over)', to: 'gcd(above, over)' },
    'polynomial',
  ),
  tecdsa(
    'a polynomial of two coefficients whatever t is',
    'polynomial',
    {
      from: 'this.#coefficients = new Sealed(coefficients)',
      to: 'this.#coefficients = new Sealed(coefficients.slice(0, 2))',
    },
    'polynomial',
  ),
  tecdsa(
    'dealers interpolated by their place, not by their index',
    'commitment',
    {
      from: 'lagrange([...commitments.keys()])',
      to: 'lagrange([...commitments.keys()].map((_, i) => i))',
    },
    'polynomial',
    'transcript#4 nodes',
  ),
  tecdsa(
    'dealers interpolated in sorted order, their commitments not',
    'commitment',
    {
      from: 'lagrange([...commitments.keys()])',
      to: 'lagrange([...commitments.keys()].toSorted((a, b) => a - b))',
    },
    'polynomial',
  ),
  tecdsa(
    'shares of dealings weighted by place, not by dealer index',
    'transcript',
    {
      from: 'lagrangeScalars([...opened.keys()], group.order)',
      to: 'lagrangeScalars([...opened.keys()].map((_, i) => i), group.order)',
    },
    'transcript#4 nodes',
  ),
  tecdsa(
    'dealer index is the place among the dealers, in reshares too',
    'parameters',
    {
      from: 'if (input === undefined) return position',
      to: 'if (input === undefined || position >= 0) return position',
    },
    'parameters',
    'transcript#membership',
  ),
  tecdsa(
    'signature shares interpolated by place, not by node',
    'signature',
    {
      from: 'lagrangeScalars([...shares.keys()], order)',
      to: 'lagrangeScalars([...shares.keys()].map((_, i) => i), order)',
    },
    'signature',
  ),
  tecdsa(
    'many shares checked under equal weights',
    'commitment',
    { from: "scalar: present(weights[i], 'every claim has a weight'),", to: 'scalar: 1n,' },
    'polynomial',
  ),
  tecdsa(
    'masks are not checked',
    'commitment',
    {
      from: "if (opening.type === 'simple') return value\n  return group.add(value, group.h.multiplyPublic(opening.mask))",
      to: 'return value',
    },
    'polynomial',
  ),
]

const proving: readonly Mutant[] = [
  tecdsa(
    'a proof that is not bound to its transcript',
    'proofs',
    { from: 'bytesInput(associatedData),\n', to: 'bytesInput(associatedData.slice(0, 0)),\n' },
    'proofs',
  ),
  tecdsa(
    'a challenge that leaves the second point out',
    'proofs',
    { from: 'instance_g_x: a, instance_h_x: b }', to: 'instance_g_x: a, instance_h_x: a }' },
    'zero-knowledge',
  ),
  tecdsa(
    'a product proof without its second commitment',
    'proofs',
    {
      from: '    instance_product: product,\n    ...commitments,',
      to: '    instance_product: product,\n    commitment1: commitments.commitment1,',
    },
    'proofs',
  ),
  tecdsa(
    'one nonce for both parts of a product proof',
    'proofs',
    { from: 'const r2 = nonces.scalar(group)', to: 'const r2 = r1' },
    'known-run',
  ),
  tecdsa(
    'possession of the ephemeral key is not checked',
    'mega',
    {
      from: "return refuseUnless(proven, 'InvalidProof', 'possession",
      to: "return refuseUnless(true || proven, 'InvalidProof', 'possession",
    },
    'mega',
    'refusals#pop',
  ),
  tecdsa(
    'the ephemeral key may be the identity',
    'mega',
    { from: 'refuseUnless(!group.isZero(ephemeralKey),', to: 'refuseUnless(true,' },
    'mega',
  ),
  tecdsa(
    'possession is proven for any dealer',
    'mega',
    {
      from: '    dealer_index: integerInput(BigInt(dealerIndex)),\n    ...pointInputs(group, { ephemeral_key: ephemeralKey }),',
      to: '    dealer_index: integerInput(0n),\n    ...pointInputs(group, { ephemeral_key: ephemeralKey }),',
    },
    'mega',
  ),
  tecdsa(
    'masks do not name the dealer',
    'mega',
    {
      from: '        dealer_index: integerInput(BigInt(dealerIndex)),\n        recipient_index',
      to: '        dealer_index: integerInput(0n),\n        recipient_index',
    },
    'mega',
  ),
  tecdsa(
    'the number of ciphertexts is not checked',
    'mega',
    { from: 'refuseUnless(ctexts.length === expected.receiverCount,', to: 'refuseUnless(true,' },
    'mega',
    'refusals#recipients',
  ),
]

const dealing: readonly Mutant[] = [
  tecdsa(
    'a commitment of any degree',
    'dealing',
    {
      from: 'commitment.type === shape.commitment && commitment.points.length === t',
      to: 'commitment.type === shape.commitment',
    },
    'dealing#points',
    'refusals#commitment',
  ),
  tecdsa(
    'a commitment of any kind',
    'dealing',
    { from: 'commitment.type === shape.commitment && commitment', to: 'commitment' },
    'refusals#commitment',
  ),
  tecdsa(
    'a superfluous proof passes',
    'dealing',
    {
      from: 'refuseUnless(proof?.type === due,',
      to: 'refuseUnless(due === undefined || proof?.type === due,',
    },
    'refusals#superfluous',
  ),
  tecdsa(
    'who does not deal may deal',
    'dealing',
    { from: 'dealerIndices(parameters).includes(dealerIndex),', to: 'dealerIndex >= 0,' },
    'refusals#InvalidDealer',
  ),
  tecdsa(
    'a reshare of what is visible is not compared with the share',
    'dealing',
    {
      from: "return refuseUnless(same, 'InvalidCommitment'",
      to: "return refuseUnless(same || true, 'InvalidCommitment'",
    },
    'dealing#reshare',
    'refusals#reshare',
  ),
  tecdsa(
    'the product proof is about the shares of any dealer',
    'dealing',
    {
      from: 'lhs: evaluateAt(group, operation.left.commitment, dealerIndex),',
      to: 'lhs: evaluateAt(group, operation.left.commitment, 0),',
    },
    'dealing#unmaskedTimesMasked',
  ),
  tecdsa(
    'a reshare may change the public key',
    'transcript',
    {
      from: "if (operation.type !== 'reshareOfUnmasked') return undefined",
      to: "if (operation.type !== 'random') return undefined",
    },
    'transcript#refused',
  ),
  tecdsa(
    'a second dealing of one dealer passes unseen',
    'receiver',
    {
      from: "if (first !== undefined) return [fault(signed.dealer, 'Equivocation: two dealings')]",
      to: 'if (first !== undefined) return []',
    },
    'refusals#equivocation',
    'peers',
  ),
  tecdsa(
    'a dealing is taken on the word of its sender',
    'receiver',
    { from: 'if (!dealerSigned(this.#context, signed)) return []', to: '' },
    'refusals#signature wrong',
    'peers',
  ),
  tecdsa(
    'support is sent before it is on record',
    'receiver',
    { from: "return [{ type: 'record', key, value: signed.hash }]", to: 'return []' },
    'peers',
  ),
  tecdsa(
    'support for a rival of what an earlier life supported',
    'receiver',
    { from: 'if (before !== undefined && !equalBytes(before, signed.hash)) return []', to: '' },
    'peers',
  ),
  tecdsa(
    'support of a dealing whose share is bad',
    'receiver',
    {
      from: 'if (share === undefined) return [] // No blame',
      to: 'if (share === undefined) {\n      this.#unsent.push({ hash: signed.hash, run: signed.transcriptId })\n      return []\n    } // No blame',
    },
    'peers',
  ),
  tecdsa(
    'support is counted without its signature',
    'dealer',
    { from: 'if (!supporterSigned(this.#context, support))', to: 'if (support.signer < 0)' },
    'refusals#wrong signature',
  ),
  tecdsa(
    'one supporter counts as often as it signs',
    'evidence',
    { from: 'signers.size === supports.length &&', to: 'signers.size > 0 &&' },
    'evidence',
  ),
  tecdsa(
    'support for any dealing supports this one',
    'evidence',
    {
      from: 'supports.every(({ hashes }) => hashes.some((hash) => equalBytes(hash, signed.hash))) &&',
      to: '',
    },
    'evidence',
  ),
  tecdsa(
    'signatures of one time line count in all',
    'evidence',
    { from: '.u64(genesis.incarnation).done()', to: '.u64(0n).done()' },
    'evidence',
    'restore#earlier life',
  ),
]

const signing: readonly Mutant[] = [
  tecdsa(
    'a presignature may serve a second request after a restart',
    'single-use',
    {
      from: 'before === undefined || equalBytes(before, value),',
      to: 'true || equalBytes(before ?? value, value),',
    },
    'refusals-signing#reuse',
    'single-use#second request',
  ),
  tecdsa(
    'a presignature may serve a second request in one life',
    'single-use',
    { from: '[this.#records.get(key), this.#uses.get(key)]', to: '[this.#records.get(key)]' },
    'single-use#second request',
  ),
  tecdsa(
    'a share leaves without its record',
    'signing',
    {
      from: "return [record, { type: 'send', to: 'all', message: open.ownShare }]",
      to: "return record.type === 'fault' ? [] : [{ type: 'send', to: 'all', message: open.ownShare }]",
    },
    'signer#recorded',
  ),
  tecdsa(
    'nobody submits a signature that others keep back',
    'signing',
    {
      from: '} else if (completion !== undefined && waits) late.push(submission(completion))',
      to: '}',
    },
    'sim/signer.sim.ts#once a slot has passed',
  ),
  tecdsa(
    'a presignature stays in stock when it is paired',
    'stock',
    { from: 'this.#unpaired.delete(presignatureId)', to: '' },
    'schedule',
  ),
  tecdsa(
    'one ω for all requests of a slot',
    'signing',
    {
      from: 'request: bytesInput(request.id),',
      to: 'request: bytesInput(new Uint8Array(32)),',
    },
    'signing-nonce',
  ),
  tecdsa(
    'ω does not depend on the presignature',
    'signing',
    { from: 'integerInput(presignatureId)', to: 'integerInput(presignatureId & 0n)' },
    'signing-nonce',
  ),
  tecdsa(
    'δ does not depend on the message',
    'signature',
    {
      from: 'hashed_message: bytesInput(digest)',
      to: 'hashed_message: bytesInput(new Uint8Array(32))',
    },
    'signature',
  ),
  tecdsa(
    'δ does not depend on the path',
    'signature',
    { from: 'key_tweak: scalarInput(group, tweak)', to: 'key_tweak: scalarInput(group, 0n)' },
    'signature',
  ),
  tecdsa(
    's is not made low',
    'signature',
    { from: 'const lowS = s > order / 2n ? order - s : s', to: 'const lowS = s' },
    'signature',
  ),
  tecdsa(
    'a high s passes',
    'signature',
    { from: "refuse(s <= group.order / 2n, 's is high') ??", to: '' },
    'signature',
    'refusals-signing#high s',
  ),
  tecdsa(
    'the R of another pairing passes',
    'signature',
    {
      from: "refuse(r === inputs.rho, 'r is not that of this request')",
      to: "refuse(r > 0n, 'r is not that of this request')",
    },
    'signature',
  ),
  tecdsa(
    'μ of a share is not checked',
    'signature',
    {
      from: "refuse(group.equals(commitToPublicOpening(group, mu), muDue), 'μ does not open')",
      to: "refuse(group.equals(muDue, muDue), 'μ does not open')",
    },
    'signature#shares',
  ),
  tecdsa(
    'false shares are not sorted out',
    'signature',
    {
      from: 'verifyShare(suite, inputs, index, share) === undefined',
      to: 'index >= 0',
    },
    'signature#combining',
  ),
  tecdsa(
    'a combined signature is not verified',
    'signature',
    { from: 'return verifySignature(suite, inputs, signature) ?? {', to: 'return {' },
    'signature',
  ),
  tecdsa(
    'xλ of another key transcript',
    'presignature',
    {
      from: "refuse(isProduct(keyLambda, key, lambda), 'xλ",
      to: "refuse(keyLambda.kind.type === 'masked', 'xλ",
    },
    'signature#presignatures',
    'refusals-signing#presignature',
  ),
]

const living: readonly Mutant[] = [
  tecdsa(
    'ids of kept transcripts are given out again',
    'run-ledger',
    { from: 'if (id >= this.#next) this.#next = id + 1n', to: '' },
    'schedule',
  ),
  tecdsa(
    'transcripts do not name their time line',
    'run-ledger',
    {
      from: '(BigInt.asUintN(32, incarnation) << 32n) | BigInt.asUintN(32, slot)',
      to: 'BigInt.asUintN(32, slot) | (incarnation & 0n)',
    },
    'schedule',
  ),
  tecdsa(
    'dealings repeat in the time lines of one half of their number',
    'dealer',
    {
      from: 'incarnation: integerInput(incarnation),',
      to: 'incarnation: integerInput(incarnation & 0xffffffffn),',
    },
    'restore#one copy',
  ),
  tecdsa(
    'a key may be the identity',
    'key-runs',
    {
      from: 'if (this.#ledger.suite.group.isZero(constantTerm(input.commitment))) this.#startAgain()',
      to: 'if (input.id < 0n) this.#startAgain()',
    },
    'schedule',
  ),
  tecdsa(
    'an unfounded complaint is valid',
    'complaint',
    {
      from: "return refuseUnless(!opens, 'InvalidComplaint'",
      to: "return refuseUnless(!opens || opens, 'InvalidComplaint'",
    },
    'complaint',
    'sim/unfounded-complaints.sim.ts',
  ),
  tecdsa(
    'a complaint is not proven',
    'complaint',
    { from: 'if (!proven) return', to: 'if (!proven && complainer < 0) return' },
    'complaint',
  ),
  tecdsa(
    'an opening is not compared with the commitment',
    'opening',
    {
      from: 'openingOpens(group, dealing.commitment, opener, opening),',
      to: 'openingOpens(group, dealing.commitment, opener, opening) || opener >= 0,',
    },
    'complaint',
    'disputes',
  ),
  tecdsa(
    'a share is recovered at the point of another node',
    'recovery',
    { from: 'evaluationPoint(receiverIndex))', to: 'evaluationPoint(receiverIndex + 1))' },
    'complaint',
  ),
  tecdsa(
    'a combined BLS signature is not verified',
    'bls',
    {
      from: 'signature !== undefined && verifyBls(publicKey, message, signature)',
      to: 'signature !== undefined',
    },
    'certification',
  ),
  {
    name: 'trailing bytes are passed over',
    file: 'base/codec.ts',
    from: 'if (this.remaining > 0) throw',
    to: 'if (this.remaining < 0) throw',
    tests: [pathOf('codec'), pathOf('refusals#encoding')],
  },
  {
    name: 'a scalar may be the order',
    file: 'base/noble-secp256k1.ts',
    from: 'bytes.length === 32 && value < SECP256K1_ORDER',
    to: 'bytes.length === 32 && value <= SECP256K1_ORDER',
    tests: ['core/base/group.test.ts', 'core/tecdsa/refusals.test.ts'],
  },
  {
    name: 'the inputs of the oracle have no length',
    file: 'base/random-oracle.ts',
    from: '    u32be(data.length),\n',
    to: '',
    tests: ['core/base/random-oracle.test.ts'],
  },
]

const tape: readonly Mutant[] = [
  tecdsa(
    'σ is believed without a look',
    'tape',
    {
      from: 'if (!key.verify(tapeMessage(incarnation, slot), signature)) return false',
      to: 'if (signature.length === 0) return false',
    },
    'tape',
  ),
  tecdsa(
    'the tape does not name its time line',
    'tape',
    {
      from: "blsContent('random_tape_content_domain', incarnation, slot)",
      to: "blsContent('random_tape_content_domain', incarnation & 0n, slot)",
    },
    'tape',
  ),
  tecdsa(
    'shares of the tape count for slots that are not executed',
    'tape',
    {
      from: 'if (word.slot >= this.#next) return this.#keepEarly(from, word)',
      to: 'if (word.slot >= this.#next) this.#begin(word.slot)',
    },
    'tape',
  ),
  tecdsa(
    'one abort expires a request',
    'expiry',
    {
      from: 'membership.isMember(node)).length >= membership.quorum',
      to: 'membership.isMember(node)).length >= 1',
    },
    'expiry',
  ),
  tecdsa(
    'an abort counts without its signature',
    'expiry',
    {
      from: 'if (!isAbortSigned(this.#config, abort)) return false',
      to: '',
    },
    'expiry',
  ),
  tecdsa(
    'shares of another tape key make a coin',
    'coin',
    { from: 'else if (named.transcriptId === id) own.set', to: 'else own.set' },
    'coin#transcript',
  ),
]

export const tecdsaMutants: readonly Mutant[] = [
  ...counting,
  ...sharing,
  ...proving,
  ...dealing,
  ...signing,
  ...living,
  ...tape,
]
