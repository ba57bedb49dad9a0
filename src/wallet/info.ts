/** Parameters and versions of a deployment, read now. Implements cli §5.14 (`info`). */
import { toHex } from '../core/base/bytes.ts'
import { CanisterRefused } from '../core/base/errors.ts'
import type { Principal } from '../core/ic/principal.ts'
import type { SettingsChange } from '../core/minter/settings-change.ts'
import type { Mode } from '../core/minter/types.ts'
import type { Alert, Counts, Info as MinterView } from '../core/minter/views/info.ts'
import { textOfAccount, textOfId } from './account-text.ts'
import type { Client } from './client.ts'
import { derivations } from './deposit-address.ts'

export type Info = {
  readonly url: string
  readonly bitcoin: string
  readonly rootKey: string
  readonly rootKeyOrigin: string
  readonly canisters: readonly {
    readonly name: string
    readonly id: string
    /** Certified; undefined where it cannot be read. */
    readonly moduleHash: string | undefined
  }[]
  /** Of the minter, from its event log; undefined where that was not read. */
  readonly mode: string | undefined
  /** SEC1, from which every deposit address is derived; undefined where it is not known. */
  readonly minterPublicKey: string | undefined
  readonly minterAddress: string | undefined
  readonly confirmations: number
  readonly checkFeeSat: bigint
  readonly depositMinimumSat: bigint
  readonly redeemMinimumSat: bigint
  readonly token: { readonly name: string; readonly symbol: string; readonly decimals: number }
  readonly ledgerFeeSat: bigint
  readonly supplySat: bigint
  /** As far as the Bitcoin canister has come; undefined where it does not tell. */
  readonly bitcoinTip: number | undefined
  /** What only our minter tells of itself; undefined of another. */
  readonly inside: Inside | undefined
}

/** The minter at a glance, for its operator (minter §20.6). */
export type Inside = {
  readonly counts: Counts
  readonly availableSat: bigint
  /** Median that fees are estimated from, msat/vB; undefined before the first estimate. */
  readonly medianFeeMsatPerVb: bigint | undefined
  /** What the coins are worth more than was promised; negative when short. */
  readonly surplusSat: bigint | undefined
  readonly feeCollectorSat: bigint | undefined
  readonly consolidationCostSat: bigint | undefined
  /** Limits and delays in force, by their names. */
  readonly settings: SettingsChange
  readonly alerts: readonly Alert[]
}

export async function readInfo(client: Client): Promise<Info> {
  const { network, ledger, minter } = client
  const { ids } = network
  const own = { ledger: ids.ledger, minter: ids.minter, index: ids.index, bitcoin: ids.bitcoin }
  const view = await client.views.info()
  const [token, supplySat, info, canisters, mode, address] = await Promise.all([
    ledger.token(),
    ledger.totalSupply(),
    minter.info(),
    readCanisters(client, own),
    view === undefined ? readMode(client) : modeWords[view.config.mode.type],
    readMinterAddress(client),
  ])
  const { name, symbol, decimals } = token
  return {
    url: network.url,
    bitcoin: network.bitcoin,
    rootKey: toHex(network.rootKey),
    rootKeyOrigin: network.rootKeyOrigin,
    canisters,
    mode,
    ...address,
    confirmations: info.minConfirmations,
    checkFeeSat: info.checkFee,
    depositMinimumSat: info.depositMinAmount ?? info.checkFee + 1n,
    redeemMinimumSat: info.retrieveMinAmount,
    token: { name, symbol, decimals },
    ledgerFeeSat: token.fee,
    supplySat,
    inside: view && insideOf(view),
  }
}

const insideOf = ({
  counts,
  availableTotal,
  medianFee,
  reserve,
  consolidation,
  settings,
  alerts,
}: MinterView): Inside => ({
  counts,
  availableSat: availableTotal,
  medianFeeMsatPerVb: medianFee,
  surplusSat: reserve?.surplus,
  feeCollectorSat: consolidation.balance,
  consolidationCostSat: consolidation.expectedCost,
  settings,
  alerts,
})

/** What there is to know of a further token. */
export type TokenInfo = Pick<Info, 'canisters' | 'ledgerFeeSat' | 'supplySat'> & {
  readonly name: string
  /** ICRC-1 text; undefined where the ledger names none. */
  readonly mintingAccount: string | undefined
}

export async function readTokenInfo(client: Client): Promise<TokenInfo> {
  const { ledger, network } = client
  const { ledger: ledgerId, index } = network.ids
  const [{ name, fee }, supplySat, minting, canisters] = await Promise.all([
    ledger.token(),
    ledger.totalSupply(),
    ledger.mintingAccount(),
    readCanisters(client, { ledger: ledgerId, index }),
  ])
  const mintingAccount = minting && textOfAccount(minting)
  return { name, canisters, mintingAccount, ledgerFeeSat: fee, supplySat }
}

async function readCanisters(
  client: Client,
  ids: Readonly<Record<string, Principal | undefined>>,
): Promise<Info['canisters']> {
  const named = Object.entries(ids)
  const found = named.map(async ([name, id]) => {
    if (id === undefined) return []
    const hash = await client.moduleHash(id).catch(() => undefined)
    return [{ name, id: textOfId(id), moduleHash: hash && toHex(hash) }]
  })
  return (await Promise.all(found)).flat()
}

const modeWords: Readonly<Record<Mode['type'], string>> = {
  generalAvailability: 'open',
  readOnly: 'read-only',
  restrictedTo: 'restricted',
  depositsRestrictedTo: 'deposits-restricted',
}

/** The last word of the event log; long logs are not read for it. */
async function readMode(client: Client): Promise<string | undefined> {
  if (client.network.kind === 'built-in') return undefined
  let mode: Mode | undefined
  for (const { payload } of await client.events())
    if (payload.type === 'init' || payload.type === 'upgrade') mode = payload.args.mode ?? mode
  return mode && modeWords[mode.type]
}

/** The minter's main address: with several keys, the one that the minter itself names. */
async function readMinterAddress(
  client: Client,
): Promise<Pick<Info, 'minterPublicKey' | 'minterAddress' | 'bitcoinTip'>> {
  const account = { owner: client.network.ids.minter }
  const expected = derivations(client.network, account)
  const named =
    expected.length === 1
      ? expected[0]?.address
      : await client.minter.address(account).catch(silent)
  const found = expected.find(({ address }) => address === named)
  const view = named === undefined ? undefined : await client.bitcoin?.utxosOf(named)
  return {
    minterPublicKey: found && toHex(found.minterKey.publicKey),
    minterAddress: named,
    bitcoinTip: view?.tipHeight,
  }
}

function silent(error: unknown): undefined {
  if (!(error instanceof CanisterRefused)) throw error
  return undefined
}
