/**
 * The methods of the Bitcoin canister: what must hold before one answers, and its errors in the
 * words of the deployed canister. Source: `docs/spec/bitcoin.md` §9.
 */
import { attempt, BadEncoding } from '../base/errors.ts'
import { parseAddress } from '../btc/address.ts'
import { encodeHeader } from '../btc/block.ts'
import {
  balanceOfScript,
  blockchainInfo,
  feePercentiles,
  headerAtHeight,
  isDiverged,
  isSynced,
  tip,
  utxosAtBlock,
  utxosOfScript,
} from '../btc/chain-queries.ts'
import type { State } from '../btc/chain-state.ts'
import { execute } from '../btc/chain-view.ts'
import type { NetworkName } from '../btc/network.ts'
import { decodePage, pageOf } from '../btc/utxo-page.ts'
import type { GetUtxosRequest, GetUtxosResponse } from '../minter/interface/bitcoin-interface.ts'
import type { BitcoinNetwork } from '../minter/types.ts'
import type {
  BitcoinFees,
  GetBalanceRequest,
  GetBlockHeadersRequest,
  GetBlockHeadersResponse,
} from './bitcoin-interface.ts'
import { bitcoinApiInterface as methods } from './bitcoin-interface.ts'
import type { BitcoinSettings } from './bitcoin-settings.ts'
import type { CallContext } from './canister.ts'
import type { Handlers, Outcome } from './dispatch.ts'
import { getter, handler } from './dispatch.ts'

/** One answer of `bitcoin_get_block_headers` holds no more (§9.5). */
export const HEADERS_PER_ANSWER_MAX = 100

export type BitcoinApi = {
  readonly chain: State
  readonly settings: BitcoinSettings
  readonly context: CallContext
}

/** What canisters know a network as (§2): the test networks have one name. */
export const interfaceNetwork = (name: NetworkName): BitcoinNetwork =>
  name === 'mainnet' || name === 'regtest' ? name : 'testnet'

const trap = (message: string): Outcome<never> => ({ type: 'trap', message })
const reject = (message: string): Outcome<never> => ({ type: 'reject', message })
const result = <T>(value: T): Outcome<T> => ({ type: 'result', value })

/** Names as Rust prints them for people who debug. */
const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)
const bytesText = (bytes: Uint8Array): string => `[${[...bytes].join(', ')}]`

/** Every method that answers from the chain, for one call. */
export function chainHandlers(api: BitcoinApi): Handlers {
  return {
    bitcoin_get_utxos: handler(methods.bitcoin_get_utxos, (request) =>
      guarded(api, request, paid('getUtxosMaximum', 'getUtxosBase'), () =>
        utxos(api, request, 'get_utxos'),
      ),
    ),
    bitcoin_get_utxos_query: handler(methods.bitcoin_get_utxos_query, (request) =>
      asked(api, request, 'get_utxos_query', () => utxos(api, request, 'get_utxos_query')),
    ),
    bitcoin_get_balance: handler(methods.bitcoin_get_balance, (request) =>
      guarded(api, request, paid('getBalanceMaximum', 'getBalance'), () =>
        balance(api, request, 'get_balance'),
      ),
    ),
    bitcoin_get_balance_query: handler(methods.bitcoin_get_balance_query, (request) =>
      asked(api, request, 'get_balance_query', () => balance(api, request, 'get_balance_query')),
    ),
    bitcoin_get_current_fee_percentiles: handler(
      methods.bitcoin_get_current_fee_percentiles,
      (request) => {
        const price = paid('getCurrentFeePercentilesMaximum', 'getCurrentFeePercentiles')
        return guarded(api, request, price, () => result(feePercentiles(api.chain).percentiles))
      },
    ),
    bitcoin_get_block_headers: handler(methods.bitcoin_get_block_headers, (request) =>
      guarded(api, request, paid('getBlockHeadersMaximum', 'getBlockHeadersBase'), () =>
        blockHeaders(api.chain, request),
      ),
    ),
    bitcoin_send_transaction: handler(methods.bitcoin_send_transaction, (request) =>
      send(api, request),
    ),
    get_blockchain_info: getter(methods.get_blockchain_info, () => blockchainInfo(api.chain)),
  }
}

type Price = { readonly least: (fees: BitcoinFees) => bigint; readonly fee: Price['least'] }

/** `least` must be attached, `fee` is kept. The part for instructions counts as zero (§9.8). */
const paid = (least: keyof BitcoinFees, fee: keyof BitcoinFees): Price => ({
  least: (fees) => fees[least],
  fee: (fees) => fees[fee],
})

type Named = { readonly network: BitcoinNetwork }

/** §9.1 in its order, then the fee, then the answer. */
function guarded<T>(
  api: BitcoinApi,
  request: Named,
  price: Price,
  answer: () => Outcome<T>,
): Outcome<T> {
  const refusal = closed(api, request) ?? behind(api) ?? charge(api, price)
  return refusal ?? answer()
}

/** A question to one node: no cycles, and not through the log. */
function asked<T>(
  api: BitcoinApi,
  request: Named,
  name: string,
  answer: () => Outcome<T>,
): Outcome<T> {
  if (api.context.kind === 'update') return reject(`${name} cannot be called in replicated mode`)
  return closed(api, request) ?? behind(api) ?? answer()
}

function closed({ chain, settings }: BitcoinApi, { network }: Named): Outcome<never> | undefined {
  if (!settings.apiAccess) return trap('Bitcoin API is disabled')
  const own = interfaceNetwork(chain.config.network.name)
  return network === own ? undefined : trap(`Network must be ${own}. Found ${network}`)
}

function behind({ chain, settings }: BitcoinApi): Outcome<never> | undefined {
  if (isDiverged(chain))
    return trap(
      `ChainDiverged: a heavier chain forks below height ${chain.tree.anchor.node.height}.`,
    )
  const isOpen = !settings.disableApiIfNotFullySynced || isSynced(chain)
  return isOpen ? undefined : trap('Canister state is not fully synced.')
}

/** Users attach none. Nothing is charged, and nothing due, while prices are zero. */
function charge({ settings, context }: BitcoinApi, price: Price): Outcome<never> | undefined {
  const { cycles } = context
  const least = price.least(settings.fees)
  const available = cycles?.available ?? 0n
  if (available < least) return trap(`Received ${available} cycles. ${least} cycles are required.`)
  const fee = price.fee(settings.fees)
  // Like the deployed canister, which panics when base fees exceed the maximum that was asked for.
  if (available < fee) return trap(`Received ${available} cycles. ${fee} cycles are required.`)
  cycles?.accept(fee)
  return undefined
}

/** The output script of an address, or the error that names what is wrong with it. */
function scriptAt({ chain }: BitcoinApi, address: string): Uint8Array | string {
  const { network } = chain.config
  const parsed = parseAddress(address, network)
  if (parsed.type === 'address') return parsed.script
  return parsed.reason === 'wrong-network'
    ? `AddressForWrongNetwork { expected: ${capital(interfaceNetwork(network.name))} }`
    : 'MalformedAddress'
}

const tooManyConfirmations = ({ given, max }: { given: number; max: number }): string =>
  `MinConfirmationsTooLarge { given: ${given}, max: ${max} }`

/** §9.2. */
function utxos(
  api: BitcoinApi,
  { address, filter }: GetUtxosRequest,
  name: string,
): Outcome<GetUtxosResponse> {
  const failed = (error: string): Outcome<never> => reject(`${name} failed: ${error}`)
  const { chain, settings } = api
  const script = scriptAt(api, address)
  if (typeof script === 'string') return failed(script)
  const page = filter?.type === 'page' ? attempt(() => decodePage(filter.page)) : undefined
  if (page instanceof BadEncoding)
    return failed(`MalformedPage { err: ${JSON.stringify(page.message)} }`)
  const found =
    page === undefined
      ? utxosOfScript(chain, script, filter?.type === 'minConfirmations' ? filter.count : 0)
      : utxosAtBlock(chain, script, page.tipHash)
  if (found === undefined)
    return failed(`UnknownTipBlockHash { tip_block_hash: ${bytesText(page?.tipHash ?? script)} }`)
  if (found.type !== 'utxos') return failed(tooManyConfirmations(found))
  const { tipHash: tipBlockHash, tipHeight } = found
  return result({ ...pageOf(found, page, settings.utxosPerPage), tipBlockHash, tipHeight })
}

/** §9.3; with strict confirmations, what `bitcoin_get_utxos` counts (D6). */
function balance(
  api: BitcoinApi,
  { address, minConfirmations = 0 }: GetBalanceRequest,
  name: string,
): Outcome<bigint> {
  const failed = (error: string): Outcome<never> => reject(`${name} failed: ${error}`)
  const { chain, settings } = api
  const script = scriptAt(api, address)
  if (typeof script === 'string') return failed(script)
  const found = settings.strictConfirmations
    ? utxosOfScript(chain, script, minConfirmations)
    : balanceOfScript(chain, script, minConfirmations)
  switch (found.type) {
    case 'minConfirmationsTooLarge':
      return failed(tooManyConfirmations(found))
    case 'balance':
      return result(found.balance)
    case 'utxos':
      return result(found.utxos.reduce((sum, { value }) => sum + value, 0n))
  }
}

/** §9.5. */
function blockHeaders(
  chain: State,
  { startHeight, endHeight }: GetBlockHeadersRequest,
): Outcome<GetBlockHeadersResponse> {
  const failed = (error: string): Outcome<never> => reject(`get_block_headers failed: ${error}`)
  const height = tip(chain).height
  if (startHeight > height)
    return failed(`StartHeightDoesNotExist { requested: ${startHeight}, chain_height: ${height} }`)
  if (endHeight !== undefined && endHeight < startHeight)
    return failed(
      `StartHeightLargerThanEndHeight { start_height: ${startHeight}, end_height: ${endHeight} }`,
    )
  if (endHeight !== undefined && endHeight > height)
    return failed(`EndHeightDoesNotExist { requested: ${endHeight}, chain_height: ${height} }`)
  const last = Math.min(endHeight ?? height, startHeight + HEADERS_PER_ANSWER_MAX - 1)
  const headers: Uint8Array[] = []
  for (let at = startHeight; at <= last; at++) {
    const node = headerAtHeight(chain, at)
    if (node !== undefined) headers.push(encodeHeader(node.header))
  }
  return result({ tipHeight: last, blockHeaders: headers }) // D7: of the last one given.
}

/** §9.6: the fee is due before the bytes are looked at, and a view that is behind takes it too. */
function send(
  api: BitcoinApi,
  request: Named & { readonly transaction: Uint8Array },
): Outcome<undefined> {
  const bytes = request.transaction
  const fee = ({ sendTransactionBase, sendTransactionPerByte }: BitcoinFees): bigint =>
    sendTransactionBase + sendTransactionPerByte * BigInt(bytes.length)
  const refusal = closed(api, request) ?? charge(api, { least: fee, fee })
  if (refusal !== undefined) return refusal
  const { chain, context } = api
  const { reply } = execute(chain, { type: 'sendTransaction', bytes, keep: false }, context.now)
  if (reply.type === 'accepted') return result(undefined)
  const error = reply.type === 'queueFull' ? 'QueueFull' : 'MalformedTransaction'
  return reject(`send_transaction failed: ${error}`)
}
