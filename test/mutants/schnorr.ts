/** Mutants of Schnorr signing, Ed25519, keys by algorithm and the management interface. */
import type { Mutant } from './mutant.ts'

const schnorr = 'core/tecdsa/schnorr.test.ts'
const knownRun = 'core/tecdsa/schnorr-known-run.test.ts'
const group = 'core/base/ed25519-group.test.ts'
const derivation = 'core/base/derivation.test.ts'
const lanes = 'core/tecdsa/key-lanes.test.ts'
const calls = 'core/subnet/key-calls.test.ts'

export const schnorrMutants: readonly Mutant[] = [
  {
    name: 'a point of edwards25519 outside the subgroup decodes',
    file: 'base/noble-ed25519.ts',
    from: 'point.isTorsionFree() ? point : undefined',
    to: 'point',
    tests: [group],
  },
  {
    name: 'a scalar of Ed25519 may be the order',
    file: 'base/noble-ed25519.ts',
    from: 'bytes.length === SCALAR_SIZE && value < ED25519_ORDER',
    to: 'bytes.length === SCALAR_SIZE && value <= ED25519_ORDER',
    tests: [group],
  },
  {
    name: 'offsets of Ed25519 keys of 256 bits',
    file: 'base/derivation.ts',
    from: 'const WIDE_OFFSET_SIZE = 64',
    to: 'const WIDE_OFFSET_SIZE = 32',
    tests: [derivation],
  },
  {
    name: 'the taproot tweak of an odd key without its sign',
    file: 'tecdsa/schnorr-scheme.ts',
    from: 'hasEvenY(encoded) ? tau : -tau',
    to: 'tau',
    tests: [`${schnorr}#root`, knownRun],
  },
  {
    name: 'an odd key of BIP340 without its sign',
    file: 'tecdsa/schnorr-scheme.ts',
    from: 'hasEvenY(key) ? e : -e',
    to: 'e',
    tests: [schnorr],
  },
  {
    name: 'an odd R of BIP340 without its sign',
    file: 'tecdsa/schnorr-scheme.ts',
    from: 'hasEvenY(r0) ? 1n : group.order - 1n',
    to: '1n',
    tests: [schnorr],
  },
  {
    name: 'a taproot root is no part of δ',
    file: 'tecdsa/schnorr.ts',
    from: '    ...root,\n',
    to: '',
    tests: [`${schnorr}#no root`, knownRun],
  },
  {
    name: 'the message is no part of δ',
    file: 'tecdsa/schnorr.ts',
    from: '    message: bytesInput(message),\n',
    to: '    message: bytesInput(nonce),\n',
    tests: [knownRun, `${schnorr}#each change R`],
  },
  {
    name: 'false Schnorr shares pass',
    file: 'tecdsa/schnorr.ts',
    from: "return refuse(group.equals(found, due), 's does not open')",
    to: "return refuse(true, 's does not open')",
    tests: [`${schnorr}#shares`, `${schnorr}#combining`],
  },
  {
    name: 'a Schnorr signature is not verified before it leaves',
    file: 'tecdsa/schnorr.ts',
    from: "refuse(scheme.verify(verificationKey, message, signature), 'the equation does not hold')",
    to: "refuse(true, 'the equation does not hold')",
    tests: [`${schnorr}#refused before release`, `${schnorr}#combining`],
  },
  {
    name: 'a blinder of other nodes makes a presignature',
    file: 'tecdsa/presignature.ts',
    from: "refuse(sameNodes(blinder.receivers, key.receivers), 'held by other nodes than the key')",
    to: "refuse(true, 'held by other nodes than the key')",
    tests: [`${schnorr}#presignatures`],
  },
  {
    name: 'pairings of all algorithms under one name',
    file: 'tecdsa/signer-config.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of the program.
    from: "lane === 'ecdsa' ? `${incarnation}/` : `${incarnation}/${lane}/`",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of the program.
    to: '`${incarnation}/`',
    tests: [`${lanes}#recorded`],
  },
  {
    name: 'a canister signs below no principal',
    file: 'subnet/key-calls.ts',
    from: 'path: [call.caller, ...path]',
    to: 'path: [...path]',
    tests: [`${calls}#below the caller`],
  },
  {
    name: 'too few cycles are enough',
    file: 'subnet/key-calls.ts',
    from: 'if (call.cycles < fee)',
    to: 'if (call.cycles < 0n)',
    tests: [`${calls}#too few cycles`, `${calls}#in this order`],
  },
  {
    name: 'a taproot root for Ed25519 is passed over',
    file: 'subnet/key-interface.ts',
    from: "demand(scheme === 'bip340', () =>",
    to: 'demand(true, () =>',
    tests: [`${calls}#for Ed25519`],
  },
]
