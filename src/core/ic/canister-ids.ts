/** Canister ids of the local subnet. Implements `docs/spec/ic-interface.md` §3.1. */
import { bigEndian, concat, equalBytes, fromBigEndian } from '../base/bytes.ts'
import type { Principal } from './principal.ts'
import { principal, principalOfText } from './principal.ts'

export type CanisterIds = {
  readonly ledger: Principal
  readonly minter: Principal
  readonly index: Principal
  readonly checker: Principal
  readonly firstArchive: Principal
  readonly bitcoin: Principal
}

/** Number of the ledger; the other canisters take the numbers after it. */
const FIRST = 0xffff_ffff_cb7c_0000n
const FURTHER_ARCHIVES = 0xffff_ffff_cb7c_0100n
const FURTHER_TOKENS = 0xffff_ffff_cb7c_1000n
const NUMBER_BYTES = 8
const NUMBERS_PER_TOKEN = 256n
/** Archives end where tokens begin; tokens end where the next word of ids would begin. */
const FURTHER_ARCHIVES_COUNT_MAX = 0xf00
const FURTHER_TOKENS_COUNT_MAX = 240
const TOKEN_ARCHIVES_COUNT_MAX = 252

/** Opaque principal of a canister number: 8 bytes, `01`, `01`. */
export function canisterOfNumber(number: bigint): Principal {
  return principal(concat(bigEndian(number, NUMBER_BYTES), Uint8Array.of(1, 1)))
}

export const ownCanisterIds: CanisterIds = {
  ledger: canisterOfNumber(FIRST),
  minter: canisterOfNumber(FIRST + 1n),
  index: canisterOfNumber(FIRST + 2n),
  checker: canisterOfNumber(FIRST + 3n),
  firstArchive: canisterOfNumber(FIRST + 4n),
  bitcoin: canisterOfNumber(FIRST + 5n),
}

/** Ids of the deployed canisters; Bitcoin's is the one that local development uses for regtest. */
export const mainnetCanisterIds: CanisterIds = {
  ledger: principalOfText('mxzaz-hqaaa-aaaar-qaada-cai'),
  minter: principalOfText('mqygn-kiaaa-aaaar-qaadq-cai'),
  index: principalOfText('n5wcd-faaaa-aaaar-qaaea-cai'),
  checker: principalOfText('oltsj-fqaaa-aaaar-qal5q-cai'),
  firstArchive: principalOfText('nbsys-saaaa-aaaar-qaaga-cai'),
  bitcoin: principalOfText('g4xu7-jiaaa-aaaan-aaaaq-cai'),
}

/** The ids that a local subnet may be founded with. */
export type IdsKind = 'own' | 'mainnet'
export const canisterIdsOf: Readonly<Record<IdsKind, CanisterIds>> = {
  own: ownCanisterIds,
  mainnet: mainnetCanisterIds,
}

/** Archive number `index` after the first one, from 0. */
export function furtherArchive(index: number): Principal {
  return canisterOfNumber(FURTHER_ARCHIVES + within(index, FURTHER_ARCHIVES_COUNT_MAX))
}

export type TokenCanisterIds = {
  readonly ledger: Principal
  readonly index: Principal
  readonly archive: (index: number) => Principal
  /** How many archives there are ids for. */
  readonly archivesMax: number
}

/** Those of ckBTC. */
export const ckbtcTokenIds = ({ ledger, index, firstArchive }: CanisterIds): TokenCanisterIds => ({
  ledger,
  index,
  archive: (number) => (number === 0 ? firstArchive : furtherArchive(number - 1)),
  archivesMax: 1 + FURTHER_ARCHIVES_COUNT_MAX,
})

/** Ids of the further token number `k`, from 0. */
export function furtherToken(k: number): TokenCanisterIds {
  const first = FURTHER_TOKENS + NUMBERS_PER_TOKEN * within(k, FURTHER_TOKENS_COUNT_MAX)
  return {
    ledger: canisterOfNumber(first),
    index: canisterOfNumber(first + 2n),
    archive: (index) => canisterOfNumber(first + 4n + within(index, TOKEN_ARCHIVES_COUNT_MAX)),
    archivesMax: TOKEN_ARCHIVES_COUNT_MAX,
  }
}

/**
 * Whether a canister of that id may be in a subnet with so many further tokens: archives count from
 * the beginning, though none is there before it is needed.
 */
export function mayHold(ids: CanisterIds, tokens: number, id: Principal): boolean {
  if (Object.values(ids).some((own) => equalBytes(own, id))) return true
  const number = fromBigEndian(id.subarray(0, NUMBER_BYTES))
  if (!equalBytes(canisterOfNumber(number), id)) return false
  if (number < FURTHER_TOKENS)
    return (
      number >= FURTHER_ARCHIVES && number < FURTHER_ARCHIVES + BigInt(FURTHER_ARCHIVES_COUNT_MAX)
    )
  const place = number - FURTHER_TOKENS
  const role = place % NUMBERS_PER_TOKEN
  return place < NUMBERS_PER_TOKEN * BigInt(tokens) && (role === 0n || role === 2n || role >= 4n)
}

function within(index: number, count: number): bigint {
  if (!Number.isInteger(index) || index < 0 || index >= count)
    throw new RangeError(`index ${index} is not below ${count}`)
  return BigInt(index)
}
