/**
 * Long chains of headers with real work, of the easiest kind, on a network that has a minimum of it.
 */
import type { BlockHash } from '../../src/core/base/bytes.ts'
import { hash32 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { sha256d } from '../../src/core/base/hash.ts'
import type { BlockHeader } from '../../src/core/btc/block.ts'
import { decodeHeader, encodeHeader } from '../../src/core/btc/block.ts'
import { genesisBlock } from '../../src/core/btc/genesis.ts'
import { requiredBits } from '../../src/core/btc/header.ts'
import type { Network } from '../../src/core/btc/network.ts'
import { regtest } from '../../src/core/btc/network.ts'

/** Bytes 76 to 80 of a header. */
const NONCE_AT = 76
const SPACING_S = 600

/** The rules of mainnet at the difficulty of regtest: two hashes make a block. */
export const easyNetwork = (minimumWork = 0n): Network => ({
  ...regtest,
  minDifficultyBlocks: false,
  retarget: 'lastBlock',
  minimumWork,
})

export class EasyChain {
  readonly network: Network
  /** Genesis first. */
  readonly headers: BlockHeader[]
  readonly hashes: BlockHash[]
  readonly #branch: number

  /** Chains of other `branch` numbers are other chains. */
  constructor(network: Network, branch = 0, from: EasyChain | undefined = undefined, height = 0) {
    this.network = network
    this.#branch = branch
    this.headers = from?.headers.slice(0, height + 1) ?? [genesisBlock(network).header]
    this.hashes = from?.hashes.slice(0, height + 1) ?? [network.genesis.hash]
  }

  get height(): number {
    return this.headers.length - 1
  }
  /** Of the newest header. */
  get time(): number {
    return present(this.headers.at(-1), 'a chain has a genesis').time
  }

  grow(count: number, spacingS = SPACING_S): this {
    for (let i = 0; i < count; i++) this.#mine(spacingS)
    return this
  }

  /** Headers above a height, as many as one message holds. */
  after(height: number, count = 2_000): readonly BlockHeader[] {
    return this.headers.slice(height + 1, height + 1 + count)
  }

  #mine(spacingS: number): void {
    const height = this.headers.length
    const time = this.time + spacingS
    const ancestor = (at: number) => present(this.headers[at], 'an ancestor')
    const bits = requiredBits({ network: this.network, height, ancestor, time })
    const root = new Uint8Array(32)
    new DataView(root.buffer).setUint32(0, this.#branch)
    const previous = present(this.hashes.at(-1), 'a chain has a genesis')
    const header = { version: 4, previous, merkleRoot: hash32(root), time, bits, nonce: 0 }
    const { bytes, hash } = solve(encodeHeader(header))
    this.headers.push(decodeHeader(bytes))
    this.hashes.push(hash)
  }
}

/** All targets of these chains begin with 7f: the highest byte decides, but for one in 32,768. */
function solve(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly hash: BlockHash } {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let nonce = 0; ; nonce++) {
    view.setUint32(NONCE_AT, nonce, true)
    const hash = sha256d(bytes)
    if ((hash[31] ?? 0) < 0x7f) return { bytes, hash }
  }
}
