/**
 * The claims of `docs/spec/threshold-signatures.md` that tests prove: the properties of §22 and the
 * rows of §21, each under a short name. `test/claims.test.ts` holds them against the tests and the
 * specification.
 */

/** A property of §22: tests name it `§22.3 move: …`. `words` are those of the specification. */
export type Property = {
  readonly section: string
  readonly name: string
  readonly words: readonly string[]
}

/** A row of §21: tests name its cases `§21 support: twice`. `subject`: words all cases share. */
export type Row = {
  readonly name: string
  readonly subject: string
  readonly cases: readonly string[]
}

const property = (label: string, ...words: readonly string[]): Property => {
  const [section = '', name = ''] = label.split(' ')
  return { section, name, words }
}

export const properties: readonly Property[] = [
  property('22.1 rfc', 'RFC 9380 vectors'),
  property('22.1 h', 'h recomputed'),
  property('22.1 oracle', 'RO known answers (A.2)'),
  property('22.1 round-trip', 'encode∘decode = identity'),
  property('22.1 corruption', 'every corruption refused'),
  property(
    '22.1 structure',
    'RO injective on structure: moving bytes between name, data and neighbour inputs changes the output',
  ),
  property('22.1 lagrange', 'Lagrange: any t of n shares give the secret'),
  property('22.1 other-set', 'any other degree-f set gives the same'),
  property('22.1 too-few', 't−1 give no constraint (22.6)'),
  property('22.2 complete', 'Complete'),
  property('22.2 corrupted', 'each field corrupted, other ad, dealer or receivers: refused'),
  property('22.2 simulator', 'Simulator of each proof accepted when the oracle is programmed'),
  property('22.2 extractor', 'extractor from two transcripts yields the witness'),
  property(
    '22.2 decryption',
    'Decryption with any other key, index, ad or ephemeral key gives an unrelated value',
  ),
  property(
    '22.3 secret',
    'For n in {1, 4, 5, 7, 10, 13}, each operation: secret of the output equals the sum / the input / the product (checked by reconstruction in tests)',
  ),
  property('22.3 opens', "every receiver's share opens the combined commitment"),
  property(
    '22.3 choice',
    'different choices of c dealings give the same C_0 for reshares, and for products the same secret (commitment differs by mask)',
  ),
  property('22.3 move', 'A reshare from 4 to 7 to 4 disjoint nodes keeps X'),
  property('22.3 mixed', 'an old share mixed with new ones does not reconstruct'),
  property(
    '22.3 victims',
    'With f corrupt dealers dealing wrong shares to up to f receivers (so that the dealing is still supported): the victims complain, recover, and sign',
  ),
  property(
    '22.3 unfounded',
    'One corrupt receiver complains about honest dealings: all refused, blamed, nothing opened',
  ),
  property('22.4 crashed', 'f crashed at every step'),
  property(
    '22.4 byzantine',
    'f byzantine (each fault of §21 and silence, equivocation, replay, random bytes)',
  ),
  property(
    '22.4 starved',
    'delay and reordering by a seeded scheduler, including one that starves a chosen honest node until the others finish',
  ),
  property(
    '22.4 safety',
    'Safety in every run: one log; one transcript per id; at most one signature per request; presignature used once',
  ),
  property(
    '22.4 liveness',
    'Liveness once n − f are connected: every accepted request ends with a signature or with "expired"',
  ),
  property('22.4 stopped', 'f + 1 crashed: no progress, nothing wrong; progress on return'),
  property(
    '22.4 withheld',
    'A proposal that names a body its proposer withholds, from all or from some: slots go on',
  ),
  property(
    '22.4 agreement',
    'Agreement alone: one decision, proposed by an honest node; a schedule hostile to the coin ends (learning it with the first share: mean below 5.5 rounds, none above 40 in 1,000 seeds: two rounds are lost to the fixed coins, one until all agree on a coin, and half of those after that decide), also with f liars sending term early and at random',
  ),
  property('22.4 small', 'n = 5 and 6 with liars, not only 3f + 1'),
  property(
    '22.4 checker',
    'The checker is itself tested: each of these changes MUST be caught: 2f + 1 for the echo quorum at n = 5; 2f + 1 for n − f at n = 6, 2f at n = 4; bin at f + 1; no repeating of bval, none in past rounds; deciding on f term; stopping on f + 1; no conf (hostile schedule); input 0 before n − f ones; votes, estimates or initial not recorded; no resend; forgetting a slot at its delivery; abstaining after a restart; echoing without the bodies',
  ),
  property(
    '22.4 returns',
    'Any number of nodes crash and come back, at any step, with messages in flight lost: safety always, liveness at the end',
  ),
  property(
    '22.4 censored',
    "In a busy log whose schedule keeps one honest node's proposals out of every slot, its item is served (two slots)",
  ),
  property(
    '22.4 idle',
    'f liars that send messages for the next slot for ever: an idle subnet makes at most one slot in 10 s',
  ),
  property(
    '22.4 bounded',
    'Store sizes stay within §17.8 and §23 under senders of far slots, far rounds, unknown runs and bodies without end',
  ),
  property(
    '22.4 clocks',
    'Clocks: f liars at 0 and at 2⁶⁴ − 1 do not move slot time outside honest clocks; it rises in every slot',
  ),
  property('22.5 library', 'Verify with an independent library'),
  property('22.5 low-s', 'low-s'),
  property('22.5 subsets', 'all (n choose t) subsets give the same bytes'),
  property('22.5 shares', 'share verification accepts only right ones'),
  property(
    '22.5 offline',
    'Derived key equals derivation from X alone (offline), for paths of 0…255 elements, empty elements included',
  ),
  property('22.5 nonce-point', 'Changing ω, hash, path, K changes R'),
  property(
    '22.5 bip340',
    "BIP340 with all four parities of (X', R0) and root none / empty / 32 bytes",
  ),
  property('22.5 ed25519', 'Ed25519 verified by RFC 8032 code'),
  property(
    '22.6 hiding',
    'Perfect hiding, exhaustively: run the polynomial code over a tiny prime field (7 or 11): for every secret, the distribution of any f shares',
    'is the same',
  ),
  property('22.6 hiding-pairs', '(and any f pairs)'),
  property(
    '22.6 dealing',
    'Simulated view of a dealing: given only C_0 and f chosen shares, commitments of an unmasked sharing are interpolated in the exponent; they verify at all f corrupt indices',
  ),
  property(
    '22.6 masked-dealing',
    'For a masked sharing, with the trapdoor log_g h (test only), the same commitments open to any secret',
  ),
  property(
    '22.6 signing',
    "Simulated signing: given the signature, f corrupt nodes' shares of λ, κλ, xλ and random μ(0), set ν(0) = s·μ(0); the honest shares follow by interpolation and verify (masks by the trapdoor)",
  ),
  property(
    '22.6 true-signing',
    'With the true μ(0) they equal the real ones: so shares tell nothing beyond the signature',
  ),
  property(
    '22.6 received',
    "A log of everything f nodes receive does not contain any honest node's share, seed or key (search by bytes)",
  ),
  property(
    '22.7 function',
    'Model test with random requests, crashes, restarts,',
    'restores: presignature → (request, ω) is a function',
  ),
  property('22.7 refreshed', 'refreshes'),
  property(
    '22.7 restored',
    'Take state S, sign A; restore S, sign B: the R points differ, and K of B was never seen before',
  ),
  property(
    '22.7 extraction',
    'The extraction: force reuse in a test build, solve the 2×2 system, print the key. It must succeed there',
  ),
  property('22.7 impossible', 'be impossible outside'),
  property(
    '22.7 killed',
    'Kill a node at each durable write and each send (fault injection); after restart it never contradicts itself (dealing, support,',
    'share)',
  ),
  property(
    '22.7 killed-voter',
    'proposal, votes',
    'the slot it was killed in ends with f liars silent',
  ),
  property(
    '22.7 older-copy',
    'Put back an older copy of one node: it is shown its votes, returns with a new life, and no slot forks',
  ),
  property(
    '22.7 older-subnet',
    'Put back the whole subnet without saying so: the start is a restore, stock is new, no K is seen twice',
  ),
]

/** Name, what all cases of the row begin with, and its cases, in the order of the table. */
const row = (name: string, subject: string, ...cases: readonly string[]): Row => ({
  name,
  subject,
  cases,
})

export const rows: readonly Row[] = [
  row(
    'encoding',
    '',
    'scalar ≥ q',
    'wrong length',
    'point off curve',
    'uncompressed',
    'trailing bytes',
    'wrong tag byte, so anything of another group',
  ),
  row('identity', 'identity as', 'MEGa key', 'ephemeral key', 'derived key'),
  row('commitment', 'commitment with', 't−1', 't+1 points', 'Pedersen where simple is due'),
  row('recipients', '', 'n−1', 'n+1 ctexts', 'single where pair is due'),
  row('pop', 'PoP of', 'another dealer', 'another ad', 'another v', 'c or z changed'),
  row(
    'proof',
    'proof',
    'missing',
    'superfluous',
    'of other type',
    'over other C_0',
    "over another dealer's share",
  ),
  row('reshare', '', 'ReshareOfUnmasked with C_0 ≠ C_in(d)'),
  row(
    'dealing',
    'dealing',
    'by a non-dealer',
    'for an unknown',
    'finished transcript',
    'signature wrong',
  ),
  row('equivocation', '', 'second different dealing of one dealer'),
  row('support', 'support', 'by a non-receiver', 'twice', 'wrong signature', 'other hash'),
  row(
    'transcript',
    'transcript',
    'with c−1 dealings',
    'with v−1 supports',
    'with a duplicated dealer',
    'with altered combination',
  ),
  row('parameters', '', 'parameters violating §2.3'),
  row(
    'complaint',
    'complaint',
    'with altered ss, c, z',
    'for another dealer',
    'replayed for another transcript',
  ),
  row('unfounded', '', 'complaint against a good share'),
  row(
    'misplaced',
    'complaint',
    'about a dealing outside a finished transcript',
    'by a non-receiver',
  ),
  row(
    'opening',
    'opening',
    'that does not open',
    'by the complainer',
    'twice',
    'without a complaint',
  ),
  row('recovery', '', 'recovery from t−1 openings'),
  row(
    'presignature',
    'presignature with',
    'foreign key transcript',
    'swapped κλ and xλ',
    'other receivers',
    'other algorithm',
  ),
  row(
    'share',
    'signature share',
    'altered in any of 4 scalars',
    'of another request',
    'from a non-receiver',
    'second one',
  ),
  row('combining', 'combining', 't−1 shares', 'duplicate signer'),
  row('signature', 'signature with', 'high s', 'r = 0', 's = 0', 'other R'),
  row('reuse', '', 'second request on a presignature', 'same request with other ω'),
  row(
    'bls',
    'BLS share',
    'invalid',
    'not in subgroup',
    'of another content',
    'transcript',
    'incarnation',
  ),
  row(
    'vote',
    'vote',
    'of another incarnation',
    'life',
    'of a round',
    'slot beyond §17.8',
    'second aux',
    'conf',
    'term',
    'echo',
    'ready of a sender',
  ),
  row('empty', '', 'conf with the empty set', 'proposal that does not decode', 'breaks §23'),
  row('body', '', 'proposal naming a body that its proposer does not give'),
  row(
    'item',
    '',
    'second abort of one node',
    'abort',
    'completion of a finished request',
    'refresh by f nodes',
    'word of a refresh by a node that is no member',
    'twice',
    'of another version',
    'after the keys are fixed',
    'second return in 100 slots',
  ),
  row(
    'catch-up',
    '',
    'catch-up answers with f equal hashes',
    'certificate of the state instead of answers',
  ),
  row('diverged', '', 'f + 1 shares for another root of an executed slot'),
]
