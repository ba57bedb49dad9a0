/**
 * Which events of the log tell of a withdrawal, and which of an account's deposits: an index beside
 * the log, so that nobody reads all of it. Source: `docs/spec/minter.md` §22, 4 [H 17].
 */
import type { View } from '../../base/view.ts'
import { accountKey } from '../../ic/account.ts'
import type { Config } from '../config.ts'
import { configOfInit, configOfUpgrade } from '../config.ts'
import type { AccountKey, BurnIndex, TxidKey } from '../state/state.ts'
import { keyOfTxid } from '../state/state.ts'
import type { Payload } from './events.ts'

/** Positions are those of the log, ascending. */
export type History = {
  /** What befell a withdrawal. */
  readonly burns: Map<BurnIndex, number[]>
  /** `received_utxos` of an account. */
  readonly credits: Map<AccountKey, number[]>
  /** Since which event which check fee is asked. */
  readonly checkFees: { readonly from: number; readonly checkFee: bigint }[]
  /** Of transactions that were sent and none of whose chain is final: the burns they pay. */
  readonly paid: Map<TxidKey, readonly BurnIndex[]>
  config: Config | undefined
}

export const emptyHistory = (): History => ({
  burns: new Map(),
  credits: new Map(),
  checkFees: [],
  paid: new Map(),
  config: undefined,
})

const copyOfLists = <K>(lists: ReadonlyMap<K, readonly number[]>): Map<K, number[]> =>
  new Map([...lists].map(([key, list]) => [key, [...list]]))

export const copyOfHistory = ({
  burns,
  credits,
  checkFees,
  paid,
  config,
}: View<History>): History => ({
  burns: copyOfLists(burns),
  credits: copyOfLists(credits),
  checkFees: [...checkFees],
  paid: new Map(paid),
  config,
})

/** The log has one event more, at `position`. */
export function enterEvent(history: History, payload: View<Payload>, position: number): void {
  for (const burn of burnsNamed(history, payload)) append(history.burns, burn, position)
  switch (payload.type) {
    case 'init':
      configure(history, configOfInit(payload.args), position)
      return
    case 'upgrade':
      if (history.config === undefined) return
      configure(history, configOfUpgrade(history.config, payload.args), position)
      return
    case 'receivedUtxos':
      append(history.credits, accountKey(payload.toAccount), position)
      return
    default:
      return
  }
}

function append<K>(lists: Map<K, number[]>, key: K, position: number): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [position])
  else list.push(position)
}

function configure(history: History, config: Config, from: number): void {
  history.config = config
  const { checkFee } = config
  if (history.checkFees.at(-1)?.checkFee !== checkFee) history.checkFees.push({ from, checkFee })
}

/** Withdrawals that an event tells of: by their burns, or by the transaction that pays them. */
function burnsNamed({ paid }: History, payload: View<Payload>): readonly BurnIndex[] {
  switch (payload.type) {
    case 'distributedKytFee': // Its block pays a provider.
      return []
    case 'sentTransaction':
      paid.set(keyOfTxid(payload.txid), payload.requests)
      return payload.requests
    case 'replacedTransaction': {
      const burns = paid.get(keyOfTxid(payload.oldTxid)) ?? []
      paid.set(keyOfTxid(payload.newTxid), burns)
      return burns
    }
    case 'confirmedTransaction': {
      const burns = paid.get(keyOfTxid(payload.txid)) ?? []
      for (const [key, others] of paid) if (others === burns) paid.delete(key) // Its chain.
      return burns
    }
    default:
      if ('burnBlockIndex' in payload) return [payload.burnBlockIndex]
      if ('requests' in payload) return payload.requests
      return 'blockIndex' in payload ? [payload.blockIndex] : []
  }
}

/** The check fee at the time of an event. */
export function checkFeeAt({ checkFees }: View<History>, position: number): bigint {
  return checkFees.findLast(({ from }) => from <= position)?.checkFee ?? 0n
}
