/**
 * All that the canisters of a node remember, as plain data: what a snapshot holds. Source:
 * architecture §§3, 7.
 */
import { assert } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import type { State as ChainState } from '../btc/chain-state.ts'
import type { NetworkName } from '../btc/network.ts'
import { networks } from '../btc/network.ts'
import type { CanisterIds } from '../ic/canister-ids.ts'
import { furtherToken } from '../ic/canister-ids.ts'
import type { Config } from '../ledger/config.ts'
import { ckbtcConfig } from '../ledger/config.ts'
import { initial } from '../ledger/machine.ts'
import { withSettings } from '../ledger/settings.ts'
import type { SignatureKey } from '../minter/calls.ts'
import type { Minter } from '../minter/machine.ts'
import * as minter from '../minter/machine.ts'
import type { BitcoinState } from './bitcoin-canister.ts'
import { BitcoinCanister } from './bitcoin-canister.ts'
import type { BitcoinSettings } from './bitcoin-settings.ts'
import type { CheckerState } from './checker-canister.ts'
import { newChecker } from './checker-canister.ts'
import type { HeaderCandidates } from './header-votes.ts'
import type { KnownRequest } from './request-history.ts'
import type { LedgerSettings, MinterSettings, TokenSettings } from './settings.ts'
import { embeddedLedgers } from './settings.ts'
import type { TokenState } from './token-canisters.ts'
import { newToken } from './token-canisters.ts'

export type ReplicaState = {
  readonly chain: ChainState
  readonly headers: HeaderCandidates
  /** What the Bitcoin canister is set to. */
  readonly bitcoin: BitcoinSettings
  readonly followUps: BitcoinState['followUps']
  readonly checker: CheckerState
  readonly ckbtc: TokenState
  /** Of the tokens beside it, in the order of their ids. */
  readonly tokens: readonly TokenState[]
  /** An upgrade puts another one here. */
  minter: Minter
  /** By request id in hexadecimal, in the order of execution. */
  readonly requests: Map<string, KnownRequest>
  /** What the minter calls the signatures that were asked for, by request id in hexadecimal. */
  readonly asked: Map<string, SignatureKey>
  /** Of the present time line; enters the ids of requests for signatures. */
  incarnation: bigint
  hasMasterKey: boolean
  /** The tip that the minter was told of last. */
  tipSeen: string | undefined
  /** Of the last slot. */
  time: TimestampNs
  /** Calls executed since the canisters were installed. */
  updatesTotal: bigint
}

/** The canisters as they are installed at `createdAt`. */
export function installCanisters(
  { ledger, checker, minter: self, firstArchive, index }: CanisterIds,
  {
    minter: { init, settings },
    ledgers = embeddedLedgers,
    bitcoinNetwork = 'regtest',
    createdAt,
    incarnation,
  }: {
    readonly minter: MinterSettings
    readonly ledgers?: LedgerSettings | undefined
    readonly bitcoinNetwork?: NetworkName | undefined
    readonly createdAt: TimestampNs
    readonly incarnation: bigint
  },
): ReplicaState {
  const principals = { minter: self, archiveController: firstArchive, index }
  const ckbtc = withSettings(ckbtcConfig(principals), ledgers.ckbtc)
  const args = { ...init, ledgerId: ledger, checkerId: checker }
  const options = { self, now: createdAt, settings }
  const installed = minter.install({ type: 'init', args }, options)
  assert(installed.type === 'installed', 'the embedded minter has sound settings')
  return {
    ...BitcoinCanister.initialState(networks[bitcoinNetwork]),
    headers: new Map(),
    checker: newChecker(),
    ckbtc: newToken(initial(ckbtc, createdAt)),
    tokens: ledgers.tokens.map((token, k) => newToken(initial(tokenConfig(token, k), createdAt))),
    minter: installed.minter,
    requests: new Map(),
    asked: new Map(),
    incarnation,
    hasMasterKey: false,
    tipSeen: undefined,
    time: createdAt,
    updatesTotal: 0n,
  }
}

/** Of the further token number `k`: what its settings do not say is as in ckBTC's profile. */
export function tokenConfig({ archiveOptions, ...token }: TokenSettings, k: number): Config {
  const { index, archive } = furtherToken(k)
  const { owner: minter } = token.mintingAccount
  const profile = ckbtcConfig({ minter, archiveController: archive(0), index })
  return withSettings({ ...profile, feeCollector: undefined, ...token }, { archiveOptions })
}
