/**
 * Goal: whoever has a transcript file and the usual libraries can follow each step of a signature.
 * Method: threshold specification §§3.4, 12 to 16, 18.2, written again from its text, over
 * `@noble/curves` and the hashes below it alone; nothing of the program is imported.
 */
import { expand_message_xmd } from '@noble/curves/abstract/hash-to-curve.js'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { schnorr, secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { bytesToHex, hexToBytes } from '@noble/curves/utils.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'

// biome-ignore lint/suspicious/noExplicitAny: a file of anybody's, read field by field.
type File = any

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const hex = (text: string): Uint8Array => hexToBytes(text)
const big = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(bytes) || '0'}`)
const num = (text: string): bigint => {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new Error('not a scalar')
  return BigInt(`0x${text}`)
}
const be = (value: bigint, size: number): Uint8Array =>
  hex(value.toString(16).padStart(2 * size, '0'))
function cat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
const mod = (value: bigint, order: bigint): bigint => ((value % order) + order) % order

/** A group as §3.1 writes it. */
const groups = {
  secp256k1: {
    tag: 1,
    Point: secp256k1.Point,
    order: secp256k1.Point.Fn.ORDER,
    scalar: (value: bigint) => be(value, 32),
  },
  ed25519: {
    tag: 3,
    Point: ed25519.Point,
    order: ed25519.Point.Fn.ORDER,
    scalar: (value: bigint) => be(value, 32).reverse(),
  },
}
/** Second generator, §3.3; of Ed25519 no sharing of a signature is masked. */
const h = (): InstanceType<typeof secp256k1.Point> =>
  secp256k1.Point.fromAffine(
    secp256k1_hasher
      .hashToCurve(utf8('h'), { DST: utf8('ic-crypto-tecdsa-secp256k1-generator-h') })
      .toAffine(),
  )

type Input = readonly [name: string, type: number, data: Uint8Array]

/** §3.4. */
const oracleMessage = (inputs: readonly Input[]): Uint8Array =>
  cat(
    ...inputs
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, type, data]) =>
        cat(
          Uint8Array.of(name.length),
          utf8(name),
          Uint8Array.of(type),
          be(BigInt(data.length), 4),
          data,
        ),
      ),
  )
const oracle = (domain: string, inputs: readonly Input[], size: number): Uint8Array =>
  expand_message_xmd(oracleMessage(inputs), utf8(domain), size, sha256)

/** §13: tweak, chain code and public key of a path. */
function derive(scheme: string, master: string, path: readonly string[]) {
  const { Point, order } = scheme === 'ed25519' ? groups.ed25519 : groups.secp256k1
  let [key, chain, tweak] = [Point.fromHex(master), new Uint8Array(32), 0n]
  for (const element of path) {
    const said = cat(key.toBytes(true), hex(element))
    const wide =
      scheme === 'ed25519'
        ? hkdf(sha512, said, chain, utf8('Ed25519'), 96)
        : hmac(sha512, chain, said)
    const cut = wide.length - 32
    const offset = mod(big(wide.slice(0, cut)), order)
    // biome-ignore lint/suspicious/noExplicitAny: a point of either group.
    key = key.add((Point.BASE as any).multiplyUnsafe(offset)) as any
    chain = wide.slice(cut)
    tweak = mod(tweak + offset, order)
  }
  return { key, tweak, chain: bytesToHex(chain), publicKey: bytesToHex(key.toBytes(true)) }
}

/** λ_j at zero over x = number of the node. */
const lagrange = (nodes: readonly number[], order: bigint): readonly bigint[] =>
  nodes.map((j) => {
    let [above, below] = [1n, 1n]
    for (const m of nodes) {
      if (m === j) continue
      above = mod(above * BigInt(m), order)
      below = mod(below * BigInt(m - j), order)
    }
    return mod(above * inverse(below, order), order)
  })

function inverse(value: bigint, order: bigint): bigint {
  let [base, exponent, result] = [mod(value, order), order - 2n, 1n]
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % order
    base = (base * base) % order
  }
  return result
}

/**
 * Names of the lines that are not what they should be, at most `countMax`; empty for a true
 * transcript.
 */
export function wrongLines(file: File, countMax = Number.POSITIVE_INFINITY): readonly string[] {
  const wrong: string[] = []
  const line = (name: string, holds: () => boolean): void => {
    if (wrong.length >= countMax) return
    try {
      if (!holds()) wrong.push(name)
    } catch {
      wrong.push(name)
    }
  }
  const { request, subnet, presignature, tape, values, shares, combination } = file
  const { scheme } = request
  const group = scheme === 'ed25519' ? groups.ed25519 : groups.secp256k1
  // biome-ignore lint/suspicious/noExplicitAny: a point of either group.
  const Point: any = group.Point
  const { order, tag } = group
  const { transcripts } = presignature
  const scalar = (text: string): bigint => {
    const value = num(text)
    if (value >= order) throw new Error('not below the order')
    return value
  }
  const times = (point: File, by: bigint): File =>
    mod(by, order) === 0n ? Point.ZERO : point.multiplyUnsafe(mod(by, order))
  /** C(j), Horner. */
  const at = (name: string, node: number): File =>
    transcripts[name].commitment
      .map((text: string) => Point.fromHex(text))
      .reduceRight((sum: File, point: File) => times(sum, BigInt(node)).add(point), Point.ZERO)
  const pointInput = (name: string, point: string): Input => [
    name,
    3,
    cat(Uint8Array.of(tag), hex(point)),
  ]
  const scalarInput = (name: string, value: bigint): Input => [
    name,
    4,
    cat(Uint8Array.of(tag), group.scalar(value)),
  ]

  line('schema', () => file.schema === 'ckbtc.signing-transcript.v1' && file.network === 'local')
  line('program', () => typeof file.ckbtc === 'string')
  line('key id', () => request.key_id === 'test_key_1')
  line('numbers', () => {
    const { n, f, t, nodes } = subnet
    const numbered = nodes.every((one: File, i: number) => one.node === i + 1)
    const sorted = nodes.every((one: File, i: number) => i === 0 || nodes[i - 1].id < one.id)
    return f === Math.floor((n - 1) / 3) && t === f + 1 && nodes.length === n && numbered && sorted
  })
  line('master key', () => file.master_key === transcripts.key.commitment[0])
  line('transcripts', () => transcriptsFit(file))
  line('derivation', () => {
    const { tweak, chain, publicKey } = derive(scheme, file.master_key, request.path)
    const { derivation } = file
    return (
      scalar(derivation.tweak) === tweak &&
      derivation.chain_code === chain &&
      derivation.public_key === publicKey
    )
  })
  line('tape value', () => bytesToHex(sha256(hex(tape.signature))) === tape.value)
  line('nonce', () => {
    const inputs: readonly Input[] = [
      ['tape', 1, hex(tape.value)],
      ['request', 1, hex(request.id)],
      ['presignature', 2, be(BigInt(presignature.id), 8)],
    ]
    return bytesToHex(oracle('ckbtc-signing-nonce', inputs, 32)) === file.nonce
  })
  line('submission', () => {
    const { combined_by: by, at_once: first } = file.submission
    const due = Array.from(
      { length: subnet.t },
      (_, i) => Number((BigInt(file.pairing.slot) + BigInt(i)) % BigInt(subnet.n)) + 1,
    ).toSorted((a, b) => a - b)
    return by >= 1 && by <= subnet.n && JSON.stringify(due) === JSON.stringify(first)
  })
  line('times', () =>
    ['presign', 'sign', 'combine', 'order', 'total'].every((name) => {
      const ms = file.ms[name]
      return ms === null ? name !== 'total' : typeof ms === 'number' && ms >= 0
    }),
  )
  line('combination', () => {
    const { nodes } = combination
    const marked = shares.filter((one: File) => one.combined)
    const allowed = request.only ?? nodes
    return (
      nodes.length === subnet.t &&
      new Set(nodes).size === subnet.t &&
      nodes.every((node: number) => node >= 1 && node <= subnet.n && allowed.includes(node)) &&
      marked.length === nodes.length &&
      marked.every(({ node }: File) => nodes.includes(node)) &&
      new Set(shares.map(({ node }: File) => node)).size === shares.length
    )
  })
  line('coefficients', () => {
    const due = lagrange(combination.nodes, order)
    return (
      due.length === combination.coefficients.length &&
      due.every((value, i) => value === scalar(combination.coefficients[i]))
    )
  })
  for (const [i, share] of shares.entries()) {
    line(
      `bytes of share ${i}`,
      () => share.values === null || shareBytes(scheme, share.values) === share.bytes,
    )
    line(`blame of share ${i}`, () => share.blame === null || (!share.good && !share.combined))
  }

  const sum = (name: string): bigint =>
    combination.nodes.reduce((total: bigint, node: number, i: number) => {
      const share = shares.find((one: File) => one.node === node)
      return mod(total + scalar(combination.coefficients[i]) * scalar(share.values[name]), order)
    }, 0n)

  if (scheme === 'ecdsa') ecdsaLines()
  else schnorrLines()
  line('tape', () => {
    const name = utf8('random_tape_content_domain')
    const said = cat(
      Uint8Array.of(name.length),
      name,
      be(BigInt(subnet.incarnation), 8),
      be(BigInt(file.pairing.slot), 8),
    )
    const { shortSignatures } = bls12_381
    const point = shortSignatures.hash(said, 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_')
    return shortSignatures.verify(hex(tape.signature), point, hex(tape.public_key))
  })
  return wrong

  function ecdsaLines(): void {
    line('delta', () => {
      const dst = 'ic-crypto-tecdsa-rerandomize-presig-secp256k1'
      const inputs = [
        ['randomness', 1, hex(file.nonce)] as const,
        ['hashed_message', 1, hex(request.message)] as const,
        pointInput('pre_sig', transcripts.kappa.commitment[0]),
        scalarInput('key_tweak', scalar(file.derivation.tweak)),
      ]
      return mod(big(oracle(dst, inputs, 48)), order) === scalar(values.delta)
    })
    line('R', () => {
      const k = Point.fromHex(transcripts.kappa.commitment[0])
      return k.add(times(Point.BASE, scalar(values.delta))).toHex(true) === values.r
    })
    line('no root', () => request.taproot_root === null)
    line('rho', () => mod(big(hex(values.r).slice(1)), order) === scalar(values.rho))
    line(
      'e',
      () =>
        hex(request.message).length === 32 &&
        mod(big(hex(request.message)), order) === scalar(values.e),
    )
    line('theta', () => {
      const due = scalar(values.e) + scalar(values.rho) * scalar(file.derivation.tweak)
      return mod(due, order) === scalar(values.theta)
    })
    for (const [i, share] of shares.entries())
      line(`share ${i}`, () => {
        if (share.values === null) return share.good === false
        const [theta, rho, delta] = [values.theta, values.rho, values.delta].map(scalar)
        const lambda = at('lambda', share.node)
        const ped = (value: string, mask: string): File =>
          times(Point.BASE, num(value)).add(times(h(), num(mask)))
        const { nu, nu_mask: nuMask, mu, mu_mask: muMask } = share.values
        const nuDue = times(lambda, theta ?? 0n).add(times(at('key_lambda', share.node), rho ?? 0n))
        const muDue = times(lambda, delta ?? 0n).add(at('kappa_lambda', share.node))
        const good = ped(nu, nuMask).equals(nuDue) && ped(mu, muMask).equals(muDue)
        return good === share.good
      })
    line('numerator', () => sum('nu') === scalar(combination.values.numerator))
    line('denominator', () => sum('mu') === scalar(combination.values.denominator))
    line('quotient', () => {
      const { numerator, denominator, quotient } = combination.values
      return mod(scalar(quotient) * scalar(denominator), order) === scalar(numerator)
    })
    line('signature', () => {
      const s = scalar(combination.values.quotient)
      const low = s > (order - 1n) / 2n ? order - s : s
      return bytesToHex(cat(be(scalar(values.rho), 32), be(low, 32))) === file.signature
    })
    line('plain verification', () =>
      secp256k1.verify(hex(file.signature), hex(request.message), hex(file.derivation.public_key), {
        prehash: false,
      }),
    )
  }

  function schnorrLines(): void {
    const isBip340 = scheme === 'bip340'
    line('delta', () => {
      const dst = isBip340
        ? 'ic-crypto-bip340-rerandomize-presig-secp256k1'
        : 'ic-crypto-ed25519-rerandomize-presig-ed25519'
      const root: readonly Input[] =
        request.taproot_root === null ? [] : [['taproot_tree_root', 1, hex(request.taproot_root)]]
      const inputs = [
        ['randomness', 1, hex(file.nonce)] as const,
        ['message', 1, hex(request.message)] as const,
        pointInput('pre_sig', transcripts.blinder.commitment[0]),
        pointInput('key_transcript', file.master_key),
        scalarInput('key_tweak', scalar(file.derivation.tweak)),
        ...root,
      ]
      return mod(big(oracle(dst, inputs, 48)), order) === scalar(values.delta)
    })
    line('R', () => {
      const k = Point.fromHex(transcripts.blinder.commitment[0])
      return k.add(times(Point.BASE, scalar(values.delta))).toHex(true) === values.r0
    })
    line('r', () => values.r === (isBip340 ? values.r0.slice(2) : values.r0))
    line('signing tweak', () => {
      if (request.taproot_root === null)
        return scalar(values.signing_tweak) === scalar(file.derivation.tweak)
      const key = hex(file.derivation.public_key)
      const root = hex(request.taproot_root)
      const tau = big(schnorr.utils.taggedHash('TapTweak', key.slice(1), root))
      const signed = key[0] === 2 ? tau : -tau
      const due = mod(scalar(file.derivation.tweak) + signed, order)
      return isBip340 && [0, 32].includes(root.length) && due === scalar(values.signing_tweak)
    })
    const signingPoint = (): File =>
      Point.fromHex(file.master_key).add(times(Point.BASE, scalar(values.signing_tweak)))
    line('signing key', () => {
      const key = signingPoint().toHex(true)
      return values.signing_key === (isBip340 ? key.slice(2) : key)
    })
    line('e', () => {
      const said = cat(hex(values.r), hex(values.signing_key), hex(request.message))
      const due = isBip340
        ? big(schnorr.utils.taggedHash('BIP0340/challenge', said))
        : big(sha512(said).reverse())
      return mod(due, order) === scalar(values.e)
    })
    line('factors', () => {
      const sign = (point: string): bigint => (isBip340 && point.startsWith('03') ? -1n : 1n)
      const [a, b] = [sign(signingPoint().toHex(true)), sign(values.r0)]
      return (
        mod(a * scalar(values.e), order) === scalar(values.key_factor) &&
        mod(b, order) === scalar(values.blinder_factor)
      )
    })
    for (const [i, share] of shares.entries())
      line(`share ${i}`, () => {
        if (share.values === null) return share.good === false
        const [a, b] = [scalar(values.key_factor), scalar(values.blinder_factor)]
        const ofKey = at('key', share.node).add(times(Point.BASE, scalar(values.signing_tweak)))
        const ofNonce = at('blinder', share.node).add(times(Point.BASE, scalar(values.delta)))
        const due = times(ofKey, a).add(times(ofNonce, b))
        const good = times(Point.BASE, num(share.values.s)).equals(due)
        return good === share.good
      })
    line('s', () => sum('s') === scalar(combination.values.s))
    line('signature', () => {
      const s = group.scalar(scalar(combination.values.s))
      const last = isBip340 ? be(scalar(combination.values.s), 32) : s
      return bytesToHex(cat(hex(values.r), last)) === file.signature
    })
    line('plain verification', () => {
      const [signature, message] = [hex(file.signature), hex(request.message)]
      return isBip340
        ? schnorr.verify(signature, message, hex(values.signing_key))
        : ed25519.verify(signature, message, hex(file.derivation.public_key), { zip215: false })
    })
  }
}

/** §12: what each transcript is, and of which it was made. */
function transcriptsFit({ presignature: { transcripts }, subnet, request }: File): boolean {
  const due: Record<string, readonly [kind: string, origins: readonly string[]]> =
    request.scheme === 'ecdsa'
      ? {
          key: ['unmasked', ['reshareMasked', 'reshareUnmasked']],
          kappa: ['unmasked', ['random', 'reshareMasked']],
          lambda: ['masked', ['random']],
          kappa_lambda: ['masked', ['product']],
          key_lambda: ['masked', ['product']],
        }
      : {
          key: ['unmasked', ['reshareMasked', 'reshareUnmasked']],
          blinder: ['unmasked', ['random']],
        }
  const names = Object.keys(due)
  const ids = names.map((name) => transcripts[name].id)
  const same = (found: File, ...expected: readonly string[]): boolean =>
    JSON.stringify(found) === JSON.stringify(expected)
  const { kappa, lambda, kappa_lambda: left, key_lambda: right, key } = transcripts
  return (
    same(Object.keys(transcripts).toSorted(), ...names.toSorted()) &&
    new Set(ids).size === ids.length &&
    names.every((name) => {
      const [kind = '', origins = []] = due[name] ?? []
      const one = transcripts[name]
      const sums = one.origin === 'random' ? 'bySummation' : 'byInterpolation'
      return (
        one.kind === kind &&
        origins.includes(one.origin) &&
        one.combination === sums &&
        one.commitment.length === subnet.t
      )
    }) &&
    (request.scheme !== 'ecdsa' ||
      (same(left.inputs, kappa.id, lambda.id) && same(right.inputs, key.id, lambda.id)))
  )
}

/** §7: a share as it travels. */
function shareBytes(scheme: string, values: File): string {
  const field = (name: string): string => (0x60 + name.length).toString(16) + bytesToHex(utf8(name))
  const scalar = (value = ''): string => `582101${value}`
  if (scheme === 'ed25519') return `03${bytesToHex(hex(values.s).reverse())}`
  if (scheme === 'bip340') return `a1${field('s')}${scalar(values.s)}`
  const pair = (value = '', mask = ''): string =>
    `a1${field('Pedersen')}82${scalar(value)}${scalar(mask)}`
  return (
    `a2${field('sigma_numerator')}${pair(values.nu, values.nu_mask)}` +
    `${field('sigma_denominator')}${pair(values.mu, values.mu_mask)}`
  )
}
