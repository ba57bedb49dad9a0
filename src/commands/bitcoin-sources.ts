/** The sources of Bitcoin that a command line names. Implements `docs/spec/cli.md` §5.13. */
import { toDisplayHex, toHex } from '../core/base/bytes.ts'
import { UsageInvalid } from '../core/base/errors.ts'
import { Seed } from '../core/base/seed.ts'
import { ControlBitcoin } from '../host/control/bitcoin.ts'
import type { ControlClient } from '../host/control/client.ts'
import { openControl } from '../host/daemon.ts'
import { entropy } from '../host/entropy.ts'
import { startFilterConnection } from '../host/filter-connection.ts'
import { filterSources, peerProxy } from '../host/filter-peers.ts'
import { AgreeingSources, requireEnough } from '../wallet/agreeing-sources.ts'
import type { SourceHost } from '../wallet/open-source.ts'
import { openSource } from '../wallet/open-source.ts'
import type { SourceSpec } from '../wallet/source-spec.ts'
import { parseSourceSpec, SOURCE_FORMS } from '../wallet/source-spec.ts'
import type { Context } from './context.ts'
import type { Options } from './definitions/command.ts'
import type { Session } from './session.ts'

const COMMAND = 'ckbtc verify-reserves --help'

/** Of the options, else of the setting; each is named once. */
export function sourceNames(
  options: Options,
  { configuration }: Pick<Context, 'configuration'>,
): readonly string[] {
  const given = options.list('bitcoinSource')
  if (given.length > 0) return given
  const setting = configuration.get('bitcoin_source')
  return setting === undefined ? [] : [setting]
}

/** The embedded chain for the local subnet, peers for testnet4; elsewhere somebody has to choose. */
function defaultSource({ network }: Session): string {
  if (network.kind === 'local') return 'embedded'
  if (network.bitcoin === 'testnet4') return 'p2p'
  throw new UsageInvalid(`there is no view of Bitcoin for ${network.name} that nobody chose`, {
    fix: `choose one with --bitcoin-source: ${SOURCE_FORMS}`,
    command: COMMAND,
  })
}

export async function openSources(
  names: readonly string[],
  session: Session,
  context: Context,
  onStep: (text: string) => void,
): Promise<AgreeingSources> {
  const specs = (names.length > 0 ? names : [defaultSource(session)]).map(parseSourceSpec)
  const double = specs.find(({ name }, i) => specs.findIndex((one) => one.name === name) < i)
  if (double !== undefined)
    throw new UsageInvalid(`${double.name} is named twice, and agrees with itself`, {
      fix: 'name different sources',
      command: COMMAND,
    })
  requireEnough(specs)
  const host = await hostOf(specs, session, context)
  const { client, signal } = session
  const cacheFolder = context.directories.cache
  const sources = []
  for (const spec of specs) {
    const source = await openSource(spec, { client, host, cacheFolder, signal, onStep })
    sources.push({ name: spec.name, source })
  }
  return new AgreeingSources(sources)
}

/** The control port is asked only where something of the local subnet is. */
async function hostOf(
  specs: readonly SourceSpec[],
  { network }: Session,
  context: Context,
): Promise<SourceHost> {
  const isLocal = network.kind === 'local'
  const needsChain = specs.some(
    (spec) => spec.kind === 'embedded' || (spec.kind === 'p2p' && spec.peers.length === 0),
  )
  const { terminal, environment } = context
  const onRefusal = (reason: string): void => terminal.trace(`the proxy: ${reason}`)
  const proxyIn = () => {
    const place = peerProxy(environment)
    return place && { ...place, onRefusal }
  }
  const control = isLocal && needsChain ? await openControl(context.directories) : undefined
  return {
    chain: control && chainOf(control, await placeOf(control)),
    localPeers: async () => {
      if (control === undefined) return []
      const { peerHost: host, peerPort: port } = await control.ask('tip', {})
      return [{ host, port }]
    },
    connect: ({ network: bitcoin, peers, ...known }) => {
      const proxy = proxyIn()
      const search = { folder: context.directories.cache, isProxied: proxy !== undefined }
      return startFilterConnection({
        network: bitcoin,
        peers,
        ...known,
        sources: peers.length === 0 ? filterSources(bitcoin, search) : undefined,
        seed: Seed.fromBytes(entropy(32)),
        userAgent: `/ckbtc:${context.version}/`,
        push: false,
        proxy,
        onOffence: ({ host, port }, { reason }) =>
          terminal.trace(`peer ${host}:${port}: ${reason}`),
      })
    },
  }
}

/** Of the node that the subnet is attached to, if it is. */
const placeOf = async (control: ControlClient): Promise<string | undefined> =>
  (await control.ask('status', {})).attached?.address

/** The chain of the local subnet over the control port. */
function chainOf(control: ControlClient, attachedTo: string | undefined) {
  const bitcoin = new ControlBitcoin(control)
  return {
    attachedTo,
    tip: () => bitcoin.tip(),
    output: bitcoin.output.bind(bitcoin),
    send: async (transaction: Uint8Array) => {
      const { isTaken } = await control.ask('send', { hex: toHex(transaction) })
      return isTaken
    },
    transaction: async (txid: Uint8Array) => {
      const found = await control.ask('tx', { txid: toDisplayHex(txid) })
      return found && { confirmations: found.confirmations, height: found.height }
    },
  }
}
