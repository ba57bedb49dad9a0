/**
 * What the minter is told of the end of the main chain, in the middle of a slot and at its end.
 * Source: `docs/spec/minter.md` §19 [H 15].
 */
import type { Notice } from '../minter/calls.ts'
import type { BitcoinCanister } from './bitcoin-canister.ts'

type Chain = Pick<BitcoinCanister, 'tipKey' | 'isOnMainChain'>

export class TipWatch {
  readonly #chain: Chain
  /** The tip at the end of the last slot: replicated. */
  readonly #state: { tipSeen: string | undefined }
  /** The tip at the last call of this slot; between slots, that of the last one's end. */
  #told: string | undefined
  /** In this slot blocks left the chain, and a call was told. */
  #haveLeft = false

  constructor(chain: Chain, state: { tipSeen: string | undefined }) {
    this.#chain = chain
    this.#state = state
    this.#told = state.tipSeen
  }

  /** A call comes: in the slot in which blocks leave, it must not be answered as if they had not. */
  beforeCall(): Notice | undefined {
    const isReorganised = this.#isReorganised()
    if (this.#chain.tipKey === this.#told) return undefined
    this.#told = this.#chain.tipKey
    if (!isReorganised) return undefined
    this.#haveLeft = true
    return { type: 'blocksLeft' }
  }

  atSlotEnd(): Notice | undefined {
    const { tipKey } = this.#chain
    const isReorganised = this.#haveLeft || this.#isReorganised()
    // A chain that left and came back has changed as well, between two calls or before one of them.
    const isSame = !isReorganised && tipKey === this.#state.tipSeen && tipKey === this.#told
    this.#state.tipSeen = tipKey
    this.#told = tipKey
    this.#haveLeft = false
    return isSame ? undefined : { type: 'bitcoinChanged', isReorganised }
  }

  #isReorganised(): boolean {
    return [this.#state.tipSeen, this.#told].some((key) => !this.#chain.isOnMainChain(key))
  }
}
