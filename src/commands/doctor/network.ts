/**
 * Checks of the selected network: endpoint, root key, canisters, clock, Bitcoin. Source:
 * `docs/spec/cli.md` §§3.12, 3.15, 5.19.
 */
import { CkbtcError } from '../../core/base/errors.ts'
import { formatBtc } from '../../core/base/units.ts'
import { Client } from '../../wallet/client.ts'
import { readInfo } from '../../wallet/info.ts'
import type { Network } from '../../wallet/network.ts'
import { DEFAULT_NETWORK, hasRealFunds, symbolsOf } from '../../wallet/network.ts'
import { inspectNetwork } from '../../wallet/network-check.ts'
import type { Context } from '../context.ts'
import { clientFacts, networkOf, signalOf } from '../session.ts'
import type { Finding } from './finding.ts'
import { fail, ok, remedyOf, tried, warn } from './finding.ts'

const CLOCK_MS_MAX = 60_000
const CLOCK_MS_WARN = 10_000

export type NetworkFindings = {
  readonly findings: readonly Finding[]
  /** Everything that commands on this network connect to. */
  readonly hosts: readonly string[]
}

export async function networkFindings(context: Context): Promise<NetworkFindings> {
  const name = context.globals.network ?? DEFAULT_NETWORK
  let network: Network
  try {
    network = await networkOf(context)
  } catch (error) {
    if (!(error instanceof CkbtcError)) throw error
    const down = error.code === 'SUBNET_DOWN'
    const finding = (down ? warn : fail)('network', `${name}: ${error.message}`, remedyOf(error))
    return { findings: [finding], hosts: [] }
  }
  const hosts = [new URL(network.url).host]
  const money = hasRealFunds(network) ? ', real funds' : ''
  const first = [
    ok('network', `${name}, Bitcoin ${network.bitcoin}${money}`),
    rootKeyFinding(network),
  ]
  const signal = signalOf(context)
  const client = new Client({ network, signal, ...clientFacts(context) })
  const reached = await tried('endpoint', () => endpointFinding(client))
  if (reached.some(({ state }) => state !== 'ok'))
    return { findings: [...first, ...reached], hosts }
  return {
    findings: [
      ...first,
      ...reached,
      clockFinding(client.clockOffsetMs),
      ...(await tried('canisters', () => canisterFinding(client))),
      ...(await tried('bitcoin', () => bitcoinFinding(client))),
    ],
    hosts,
  }
}

function rootKeyFinding({ rootKeyOrigin, name }: Network): Finding {
  if (rootKeyOrigin === 'fetched')
    return warn(
      'root key',
      `fetched from the endpoint of ${name}: whoever answered then is believed`,
      'add the network again with --root-key and the key from somebody you trust',
    )
  return ok('root key', rootKeyOrigin === 'descriptor' ? 'of the local subnet' : rootKeyOrigin)
}

async function endpointFinding({ network, ledger }: Client): Promise<Finding> {
  const began = performance.now()
  await ledger.totalSupply({ certified: true })
  return ok('endpoint', `${network.url} answers, ${Math.round(performance.now() - began)} ms`)
}

function clockFinding(offsetMs: number): Finding {
  const size = Math.abs(offsetMs)
  const words = `${(size / 1_000).toFixed(1)} s ${offsetMs > 0 ? 'behind' : 'before'} the network`
  if (size >= CLOCK_MS_MAX) return fail('clock', words, 'set the clock of this computer')
  if (size >= CLOCK_MS_WARN) return warn('clock', words, 'set the clock of this computer')
  return ok('clock', size === 0 ? 'agrees with the network' : words)
}

async function canisterFinding(client: Client): Promise<Finding> {
  const { token, supply, confirmations } = await inspectNetwork(client)
  const amount = `${formatBtc(supply)} ${symbolsOf(client.network).token}`
  const words = `ledger of ${token.symbol} and minter belong together`
  return ok('canisters', `${words}; supply ${amount}, ${confirmations} confirmations`)
}

async function bitcoinFinding(client: Client): Promise<Finding> {
  const { bitcoinTip } = await readInfo(client)
  return bitcoinTip === undefined
    ? warn('bitcoin', 'the network does not tell how far it has followed Bitcoin', 'ckbtc info')
    : ok('bitcoin', `followed to height ${bitcoinTip}`)
}
