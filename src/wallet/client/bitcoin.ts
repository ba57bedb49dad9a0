/**
 * The Bitcoin canister, asked what stands at an address, before the minter has been told. Source:
 * bitcoin §9 (`bitcoin_get_utxos_query`); one node's word, for display only.
 */
import type { BlockHash } from '../../core/base/bytes.ts'
import { equalBytes } from '../../core/base/bytes.ts'
import { CanisterRefused } from '../../core/base/errors.ts'
import { bitcoinQueries } from '../../core/minter/interface/bitcoin-interface.ts'
import type { Utxo } from '../../core/minter/types.ts'
import { minterNetworkOf } from '../network.ts'
import { rawQuery } from './raw.ts'
import type { Wire } from './wire.ts'

/** An address with more pages than this is not a deposit address of a person. */
const PAGES_MAX = 20

export type AddressView = {
  readonly utxos: readonly Utxo[]
  readonly tipHash: BlockHash
  readonly tipHeight: number
}

export class BitcoinClient {
  readonly #wire: Wire

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /**
   * Unspent outputs, unconfirmed ones excluded; undefined where the canister does not answer, or where
   * there are more than can be looked through.
   */
  async utxosOf(address: string): Promise<AddressView | undefined> {
    const canisterId = this.#wire.network.ids.bitcoin
    if (canisterId === undefined) return undefined
    const methodName = 'bitcoin_get_utxos_query'
    const method = bitcoinQueries[methodName]
    const target = { canister: 'minter', canisterId, methodName, method } as const
    const network = minterNetworkOf(this.#wire.network)
    const utxos: Utxo[] = []
    let page: Uint8Array | undefined
    let tip: BlockHash | undefined
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const filter = page === undefined ? undefined : ({ type: 'page', page } as const)
      const answer = await rawQuery(this.#wire, target, [{ network, filter, address }]).catch(
        (error: unknown) => {
          if (error instanceof CanisterRefused) return undefined
          throw error
        },
      )
      if (answer === undefined) return undefined
      const { tipBlockHash: tipHash, tipHeight } = answer
      // Pages of two chains are no answer: from the beginning (D5).
      const isMoved = tip !== undefined && !equalBytes(tip, tipHash)
      if (isMoved) utxos.length = 0
      tip = isMoved ? undefined : tipHash
      page = isMoved ? undefined : answer.nextPage
      if (!isMoved) utxos.push(...answer.utxos)
      if (page === undefined && !isMoved) return { utxos, tipHash, tipHeight }
    }
    return undefined
  }
}
