/**
 * SHA-256 (FIPS 180-4) of messages that fit one block. A call into a library costs more than the
 * whole computation does; ledgers hash many such messages.
 */

/** Bytes of the longest message that leaves room for its padding in one block. */
export const SHORT_MAX = 55

const ROUNDS = 64
const HASH_BYTES = 32

/** §5.3.3: the first 32 bits of the fractional parts of the square roots of the first 8 primes. */
const H0 = 0x6a09e667
const H1 = 0xbb67ae85
const H2 = 0x3c6ef372
const H3 = 0xa54ff53a
const H4 = 0x510e527f
const H5 = 0x9b05688c
const H6 = 0x1f83d9ab
const H7 = 0x5be0cd19

/** §4.2.2: the same of the cube roots of the first 64 primes. */
const CONSTANTS = Int32Array.of(
  ...[0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4],
  ...[0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe],
  ...[0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f],
  ...[0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7],
  ...[0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc],
  ...[0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b],
  ...[0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116],
  ...[0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3],
  ...[0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7],
  0xc67178f2,
)

/** The message schedule of the call that runs; nothing is kept in it. */
const W = new Int32Array(ROUNDS)

/** The hash of at most `SHORT_MAX` bytes, as 32 bytes that nobody else holds. */
export function shortSha256(data: Uint8Array): Uint8Array {
  schedule(data)
  const hash = new Uint8Array(HASH_BYTES)
  compress(hash)
  return hash
}

/** §5.1.1 and §6.2.2 step 1. */
function schedule(data: Uint8Array): void {
  const size = data.length
  const whole = size >> 2
  for (let t = 0; t < whole; t++) W[t] = wordAt(data, 4 * t)
  // Behind the end stand zeros, which `wordAt` reads of what is not there, and one bit before them.
  W[whole] = wordAt(data, 4 * whole) | (0x80 << (24 - 8 * (size & 3)))
  W.fill(0, whole + 1, 15)
  W[15] = 8 * size
  for (let t = 16; t < ROUNDS; t++) {
    const x = W[t - 15] ?? 0
    const y = W[t - 2] ?? 0
    const s0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3)
    const s1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10)
    W[t] = (W[t - 16] ?? 0) + s0 + (W[t - 7] ?? 0) + s1
  }
}

/** Big-endian. */
const wordAt = (data: Uint8Array, at: number): number =>
  ((data[at] ?? 0) << 24) |
  ((data[at + 1] ?? 0) << 16) |
  ((data[at + 2] ?? 0) << 8) |
  (data[at + 3] ?? 0)

/** §6.2.2 steps 2 to 4; letters as there. */
function compress(hash: Uint8Array): void {
  let a = H0 | 0
  let b = H1 | 0
  let c = H2 | 0
  let d = H3 | 0
  let e = H4 | 0
  let f = H5 | 0
  let g = H6 | 0
  let h = H7 | 0
  for (let t = 0; t < ROUNDS; t++) {
    const sum1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)
    const choice = g ^ (e & (f ^ g))
    const t1 = (h + sum1 + choice + (CONSTANTS[t] ?? 0) + (W[t] ?? 0)) | 0
    const sum0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)
    const majority = (a & b) | (c & (a | b))
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + sum0 + majority) | 0
  }
  write(hash, 0, a + H0)
  write(hash, 4, b + H1)
  write(hash, 8, c + H2)
  write(hash, 12, d + H3)
  write(hash, 16, e + H4)
  write(hash, 20, f + H5)
  write(hash, 24, g + H6)
  write(hash, 28, h + H7)
}

const rotr = (x: number, by: number): number => (x >>> by) | (x << (32 - by))

function write(hash: Uint8Array, place: number, word: number): void {
  hash[place] = word >>> 24
  hash[place + 1] = word >>> 16
  hash[place + 2] = word >>> 8
  hash[place + 3] = word
}
