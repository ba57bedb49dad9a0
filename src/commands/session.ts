/**
 * What a command that asks a network begins with: the network, and a client for it. Implements cli
 * §§3.4, 3.5.
 */
import { parseDuration } from '../core/base/amounts.ts'
import { Problem } from '../core/base/errors.ts'
import type { Warning } from '../terminal/json.ts'
import type { Client } from '../wallet/client.ts'
import type { Network } from '../wallet/network.ts'
import { hasRealFunds, symbolsOf } from '../wallet/network.ts'
import { resolveNetwork } from '../wallet/networks.ts'
import type { Token } from '../wallet/token.ts'
import { requireTokenAgrees, tokenNamed, tokenOf } from '../wallet/token.ts'
import type { Context } from './context.ts'
import { keyWishesOf } from './keys.ts'
import { networkNameOf } from './network-name.ts'

export type Session = {
  readonly network: Network
  readonly client: Client
  readonly symbols: ReturnType<typeof symbolsOf>
  /** What its ledger keeps. */
  readonly token: Token
  /** Of the network, and of the clock once it was compared: ask after the reading. */
  readonly warnings: readonly Warning[]
  /** Ends by Ctrl-C and by `--timeout`. */
  readonly signal: AbortSignal
}

/** The network that the command line names. Throws `SUBNET_DOWN`, `CONFIG_INVALID`, …. */
export function networkOf(context: Context): Promise<Network> {
  const { directories, environment } = context
  const { CKBTC_URL: localUrl } = environment
  return resolveNetwork(networkNameOf(context), { directories, localUrl })
}

/** Opens the network for reading: no key is unlocked. */
export async function openSession(context: Context): Promise<Session> {
  const network = await networkOf(context)
  announce(network, context)
  const signal = signalOf(context)
  if (network.rootKeyOrigin === 'fetched') {
    const { requireSameRootKey } = await import('../wallet/network-check.ts')
    await requireSameRootKey(network, fetch)
  }
  const { Client } = await import('../wallet/client.ts')
  const client = new Client({ network, signal, ...clientFacts(context) })
  return tokenSession(sessionOf(client, signal), context)
}

/** The session for the token that was asked for. Throws `USAGE_INVALID`, `RAIL_CANISTER_MISMATCH`. */
export async function tokenSession(
  session: Session,
  { globals: { token } }: Pick<Context, 'globals'>,
): Promise<Session> {
  if (token === undefined) return session
  return sessionWith(session, tokenNamed(session.network, token))
}

/** The same for another token of the network, whose ledger is what it is said to be. */
export async function sessionWith(session: Session, token: Token): Promise<Session> {
  const client = session.client.withToken(token)
  await requireTokenAgrees(client)
  return sessionOf(client, session.signal)
}

export const sessionOf = (client: Client, signal: AbortSignal): Session => ({
  network: client.network,
  client,
  symbols: symbolsOf(client.network),
  token: tokenOf(client.network),
  signal,
  get warnings() {
    return [...warningsOf(client.network), ...clockWarnings(client)]
  },
})

const CLOCK_MS_MAX = 60_000

function clockWarnings({ clockOffsetMs }: Client): readonly Warning[] {
  const seconds = Math.round(Math.abs(clockOffsetMs) / 1000)
  if (seconds * 1000 <= CLOCK_MS_MAX) return []
  const side = clockOffsetMs > 0 ? 'behind' : 'ahead of'
  return [
    { code: 'HOST_CLOCK', message: `this computer’s clock is ${seconds} s ${side} the network’s` },
  ]
}

/** What a client takes from the surroundings of a command. */
export const clientFacts = ({ directories, terminal }: Context) => ({
  cacheFolder: directories.cache,
  trace: (line: string) => terminal.trace(line),
})

/** One line before anything else where the money is real; `-v` names the endpoint anywhere. */
export function announce(network: Network, context: Context): void {
  const { terminal } = context
  const { json, verbose } = terminal.settings
  if (json) return
  const { option, environment, config } = keyWishesOf(context)
  const wished = option || environment || config
  const key = wished ? ` · key: ${wished}` : ''
  if (hasRealFunds(network))
    terminal.note(`network: ${network.name} — Bitcoin mainnet, real funds${key}`)
  if (verbose > 0) terminal.note(`endpoint: ${network.url}`)
}

export function warningsOf({ name, rootKeyOrigin }: Network): readonly Warning[] {
  if (rootKeyOrigin !== 'fetched') return []
  const message = `the root key of ${name} was fetched from its endpoint: whoever answered then is believed`
  return [{ code: 'ROOT_KEY_FETCHED', message }]
}

/** Ctrl-C, and the end of `--timeout`. */
export function signalOf({ signal, globals: { timeout } }: Context): AbortSignal {
  if (timeout === undefined) return signal
  const ending = new AbortController()
  const problem = new Problem('NETWORK_TIMEOUT', `no answer within ${timeout}`, {
    fix: 'run the command again, or give it more time with --timeout',
  })
  setTimeout(() => ending.abort(problem), parseDuration(timeout)).unref()
  return AbortSignal.any([signal, ending.signal])
}
