/**
 * Whether the canisters of a network belong together, and where its root key is from. Implements
 * cli §3.12 (canister check), §5.19 (`network add`), IC interface §21.1.
 */
import { readFile } from 'node:fs/promises'
import { equalBytes, fromHex } from '../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../core/base/errors.ts'
import { decodeCbor } from '../core/ic/cbor.ts'
import { fingerprint } from '../core/ic/certificate.ts'
import { textOfPrincipal } from '../core/ic/principal.ts'
import type { TokenFacts } from './client/ledger.ts'
import type { Client } from './client.ts'
import type { BitcoinKind, Network } from './network.ts'
import { MAINNET_ROOT_KEY, minterNetworkOf } from './network.ts'
import type { StoredNetwork } from './networks.ts'
import { isRootKey } from './networks.ts'

export type RootKey = Pick<StoredNetwork, 'rootKey' | 'rootKeyOrigin'>

const STATUS_MS_MAX = 15_000

/**
 * `given`: 266 hexadecimal digits, a file with them or with the key's DER, `mainnet`, or `fetch`.
 * Throws `RAIL_NO_ROOT_KEY`.
 */
export async function rootKeyOf(
  given: string | undefined,
  {
    url,
    bitcoin,
    fetch,
  }: {
    readonly url: string
    readonly bitcoin: BitcoinKind
    readonly fetch: typeof globalThis.fetch
  },
): Promise<RootKey> {
  if (given === undefined) throw noRootKey('a network needs a root key of its own')
  if (given === 'mainnet') return { rootKey: MAINNET_ROOT_KEY, rootKeyOrigin: 'pinned' }
  if (given === 'fetch') {
    if (bitcoin === 'mainnet')
      throw noRootKey('a root key is never fetched where the Bitcoin is real')
    return { rootKey: await fetchRootKey(url, fetch), rootKeyOrigin: 'fetched' }
  }
  const digits = attempt(() => fromHex(given))
  const rootKey = digits instanceof BadEncoding ? await keyInFile(given) : digits
  if (!isRootKey(rootKey)) throw noRootKey(`"${given.slice(0, 80)}" is not a root key`)
  return { rootKey, rootKeyOrigin: 'given' }
}

const noRootKey = (message: string): Problem =>
  new Problem('RAIL_NO_ROOT_KEY', message, {
    fix: 'give --root-key: its 266 hexadecimal digits, a file that holds them, or mainnet',
    command: 'ckbtc network add --help',
  })

async function keyInFile(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch(() => undefined)
  if (bytes === undefined) throw noRootKey(`"${path}" is no root key, and no file that is there`)
  const digits = attempt(() => fromHex(bytes.toString('latin1').trim()))
  return digits instanceof BadEncoding ? new Uint8Array(bytes) : digits
}

/** Trust on first use: whoever answers now is believed from now on. */
async function fetchRootKey(url: string, fetch: typeof globalThis.fetch): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(STATUS_MS_MAX)
  const unreachable = (reason: string): Problem =>
    new Problem('NETWORK_UNREACHABLE', `${url} tells no root key: ${reason}`, {
      fix: 'check the address',
    })
  const body = await fetch(`${url}/api/v2/status`, { signal, redirect: 'error' })
    .then((response) => response.arrayBuffer())
    .catch((error: unknown) => {
      throw unreachable(error instanceof Error ? error.message : String(error))
    })
  const status = attempt(() => decodeCbor(new Uint8Array(body)))
  const key = status instanceof Map ? status.get('root_key') : undefined
  if (key instanceof Uint8Array && isRootKey(key)) return key
  throw unreachable('it speaks another language')
}

/** Eight bytes of a hash of the key: enough to tell two keys apart by eye. */
export const rootKeyFingerprint = (rootKey: Uint8Array): string => fingerprint(rootKey)

/**
 * A network whose root key was fetched must still show that key; another one is refused, with both
 * fingerprints. Whether it answers at all is for others to say.
 */
export async function requireSameRootKey(
  { name, url, rootKey, rootKeyOrigin }: Network,
  fetch: typeof globalThis.fetch,
): Promise<void> {
  if (rootKeyOrigin !== 'fetched') return
  const shown = await fetchRootKey(url, fetch).catch(() => undefined)
  if (shown === undefined || equalBytes(shown, rootKey)) return
  const [kept, found] = [rootKey, shown].map(rootKeyFingerprint)
  throw new Problem(
    'NETWORK_BAD_CERTIFICATE',
    `${name} shows the root key ${found}, and ${kept} is the one that was kept`,
    {
      fix: 'if you know that it was set up anew, remove it and add it again',
      command: `ckbtc network remove ${name}`,
      details: { kept, found },
    },
  )
}

/** Before anything of value moves: the ledger's minting account is the minter. */
export async function requireCanistersAgree(client: Client): Promise<void> {
  const { ids, name } = client.network
  const minting = await client.ledger.mintingAccount()
  if (minting !== undefined && equalBytes(minting.owner, ids.minter)) return
  const found = minting === undefined ? 'nobody' : textOfPrincipal(minting.owner)
  throw mismatch(name, `the ledger lets ${found} mint, not ${textOfPrincipal(ids.minter)}`)
}

const mismatch = (name: string, message: string): Problem =>
  new Problem('RAIL_CANISTER_MISMATCH', `${name}: ${message}`, {
    fix: 'ledger and minter do not belong together: check their ids',
    command: `ckbtc network show ${name}`,
  })

export type NetworkFacts = {
  readonly token: TokenFacts
  readonly supply: bigint
  readonly confirmations: number
}

/**
 * Asks ledger and minter who they are, and holds it against what the user says. Throws
 * `RAIL_CANISTER_MISMATCH`.
 */
export async function inspectNetwork(client: Client): Promise<NetworkFacts> {
  const { network } = client
  await requireCanistersAgree(client)
  const init = await client.init()
  if (!equalBytes(init.ledgerId, network.ids.ledger))
    throw mismatch(network.name, `the minter's ledger is ${textOfPrincipal(init.ledgerId)}`)
  if (init.network !== minterNetworkOf(network))
    throw mismatch(network.name, `the minter is one of Bitcoin ${init.network}`)
  const index = await client.index?.ledgerId()
  if (index !== undefined && !equalBytes(index, network.ids.ledger))
    throw mismatch(network.name, `the index is of the ledger ${textOfPrincipal(index)}`)
  const token = await client.ledger.token()
  const { minConfirmations: confirmations } = await client.minter.info()
  return { token, supply: await client.ledger.totalSupply(), confirmations }
}
