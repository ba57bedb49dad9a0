/** In which states a coin of the minter can be. Implements `docs/spec/cli.md` §5.14. */

/**
 * `available`: can be spent. `reserved`: an input of a transaction that is being signed.
 * `in-flight`: of one that was sent and is not final. `quarantined` and `too-small`: credited to
 * nobody. `unminted`: checked, and not minted yet. `gift`: paid to the minter's own address by
 * others. `lost`: credited, and taken back by a reorganisation.
 */
export const coinStates = [
  'available',
  'reserved',
  'in-flight',
  'quarantined',
  'too-small',
  'unminted',
  'gift',
  'lost',
] as const
export type CoinState = (typeof coinStates)[number]
