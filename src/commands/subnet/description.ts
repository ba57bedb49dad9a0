/** The running subnet for people and programs. Layout of `docs/spec/cli.md` §5.16. */
import { faultyMax } from '../../core/base/party.ts'
import type { StatusReply } from '../../host/control/protocol.ts'
import { printPairs } from '../../terminal/table.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { devAccounts } from '../../wallet/identity.ts'
import { evidenceWords } from '../bitcoin/evidence-words.ts'

/** Lines of transactions that wait. */
const OUTGOING_SHOWN_MAX = 5

/** Fields of the JSON document; `start` and `status` have the same. */
export function subnetData(status: StatusReply) {
  const { ids, nodes } = status
  return {
    state: 'running',
    url: status.url,
    rootKey: status.rootKey,
    nodes,
    tolerates: faultyMax(nodes),
    ledgerId: ids.ledger,
    minterId: ids.minter,
    indexId: ids.index,
    checkerId: ids.checker,
    bitcoinId: ids.bitcoin,
    tokens: status.tokens.map(({ ledger, index, ...token }) => ({
      ...token,
      ledgerId: ledger,
      indexId: index,
    })),
    dashboard: dashboardUrl(status),
    bitcoinHeight: status.bitcoinHeight,
    accounts: devAccounts(),
    mining: status.mining,
    pid: status.pid,
    subnetId: status.subnetId,
    nodesUp: status.nodesUp,
    health: status.health.replaceAll('_', '-'),
    ephemeral: status.isEphemeral,
    startedAt: status.startedAt,
    uptimeMs: status.uptimeMs,
    minConfirmations: status.minConfirmations,
    waitingTransactions: status.waitingTransactions,
    presignatures: status.presignatures,
    diskBytes: status.diskBytes,
    isolation: status.isolation,
    nodesNeeded: status.nodesNeeded,
    nodesLying: status.nodesLying,
    problems: status.problems,
    alarms: status.alarms,
    attached: attachedData(status),
    outgoing: status.outgoing,
    waiting: waitingFor(status),
  }
}

/** Of the minter, for a browser: by the URL, since not every system finds `<id>.localhost`. */
const dashboardUrl = ({ url, ids }: StatusReply): string =>
  `${url}/dashboard?canisterId=${ids.minter}`

/** The node of the user's that it follows; null where the chain is its own. */
function attachedData({ attached, subnetBitcoinHeight }: StatusReply) {
  if (attached === undefined) return null
  const { tipTime, ...rest } = attached
  return {
    ...rest,
    subnetHeight: subnetBitcoinHeight,
    tipAt: new Date(tipTime * 1_000).toISOString(),
  }
}

function connectionWords(attached: NonNullable<StatusReply['attached']>): string {
  const { isConnected, nodesConnected, isCatchingUp, shownHeight } = attached
  if (!isConnected && nodesConnected.length === 0) return 'not connected'
  return isCatchingUp ? `catching up with height ${shownHeight}` : 'in step'
}

function attachedPairs(status: StatusReply): readonly (readonly [string, string])[] {
  const { attached, nodesUp, subnetBitcoinHeight } = status
  if (attached === undefined) return []
  const { address, network, nodesConnected, notes } = attached
  const nodes = `${nodesConnected.length} of ${nodesUp.length} nodes connected`
  return [
    ['Attached to', `${address}, ${network}: ${connectionWords(attached)}`],
    ['', `${nodes}, at height ${subnetBitcoinHeight}`],
    ...notes.map((note) => ['', note] as const),
  ]
}

/** Those that no block has yet, the last few. */
const unconfirmed = ({ outgoing }: StatusReply): StatusReply['outgoing'] =>
  outgoing
    .filter(({ state }) => state !== 'in-block' && state !== 'final')
    .slice(-OUTGOING_SHOWN_MAX)

/** What cannot go on while too few nodes are up; null where it can. */
function waitingFor(status: StatusReply) {
  const { nodes, nodesUp, nodesNeeded, waitingCalls: calls, waitingSignatures } = status
  if (nodesUp.length >= nodesNeeded) return null
  const ids = Array.from({ length: nodes }, (_, i) => i + 1)
  return {
    calls,
    signatures: waitingSignatures,
    nodesMissing: nodesNeeded - nodesUp.length,
    nodesDown: ids.filter((id) => !nodesUp.includes(id)),
  }
}

function waitingWords(status: StatusReply): string | undefined {
  const waiting = waitingFor(status)
  if (waiting === null) return undefined
  const { calls, signatures, nodesMissing, nodesDown } = waiting
  const things = [
    ...(calls > 0 ? [`${calls} call${calls === 1 ? '' : 's'}`] : []),
    ...(signatures > 0 ? [`${signatures} signature${signatures === 1 ? '' : 's'}`] : []),
  ]
  const what = things.length === 0 ? 'ordering and signing' : `${things.join(' and ')}`
  const verb = things.length === 1 && calls + signatures === 1 ? 'waits' : 'wait'
  const which =
    nodesMissing === nodesDown.length
      ? `node${nodesMissing === 1 ? '' : 's'} ${nodesDown.join(', ')}`
      : `${nodesMissing} of the nodes ${nodesDown.join(', ')}`
  return `${what} ${verb} for ${which}`
}

export const miningWords = (mining: string): string => {
  if (mining === 'auto') return 'automatic'
  if (mining === 'none') return 'by the node that it is attached to'
  if (mining === 'manual') return 'by hand: ckbtc bitcoin mine'
  if (mining === 'on-tx') return 'a block after each transaction'
  if (mining.startsWith('on-tx:'))
    return `a block ${mining.slice('on-tx:'.length)} after each transaction`
  return mining.startsWith('poisson:')
    ? `a block at random, every ${mining.slice('poisson:'.length)} on average`
    : `a block every ${mining}`
}

export const nodeWords = (nodes: number): string =>
  `${nodes} node${nodes === 1 ? '' : 's'}, tolerates ${faultyMax(nodes)} faulty`

/** The block below the first line of `start`. */
export function printStarted(
  { answer }: Terminal,
  { ids, url, mining, idsKind, attached, tokens }: StatusReply,
): void {
  const kind = idsKind === 'own' ? '(ids of its own)' : '(ids of the Internet Computer)'
  answer(`  endpoint   ${url}      (CKBTC_URL)`)
  answer(`  ledger     ${ids.ledger}`)
  answer(`  minter     ${ids.minter}`)
  answer(`  index      ${ids.index}      ${kind}`)
  for (const { symbol, ledger, index } of tokens) {
    answer(`  ${symbol.padEnd(9)}  ${ledger}`)
    answer(`             ${index}      (its index)`)
  }
  answer('  root key   ckbtc subnet status --json, or ckbtc network show local --json')
  if (attached === undefined) {
    answer('  accounts   dev0 … dev4     10 BTC of test coins are one command away:')
    answer('             ckbtc deposit --faucet 0.5btc')
  } else {
    const { address, network } = attached
    answer(`  accounts   dev0 … dev4     pay to what ckbtc address --key dev0 names`)
    answer(`  bitcoin    ${address}, ${network}      ${connectionWords(attached)}`)
    for (const note of attached.notes) answer(`  ! ${note}`)
  }
  answer(`  mining     ${miningWords(mining)}       stop with: ckbtc subnet stop`)
}

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

function duration(ms: number): string {
  if (ms >= DAY_MS) return `${Math.floor(ms / DAY_MS)} d ${Math.floor((ms % DAY_MS) / HOUR_MS)} h`
  if (ms >= HOUR_MS)
    return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min`
  if (ms >= MINUTE_MS) return `${Math.floor(ms / MINUTE_MS)} min`
  return `${Math.floor(ms / SECOND_MS)} s`
}

export const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`

function nodesText({ nodes, nodesUp, nodesLying }: StatusReply): string {
  const lying = nodesLying.length === 0 ? '' : `, made to lie: ${nodesLying.join(', ')}`
  return `${nodesUp.length} of ${nodes} up, tolerates ${faultyMax(nodes)} faulty${lying}`
}

const tokenPairs = ({ symbol, ...token }: StatusReply['tokens'][number]) =>
  [
    [`Token ${symbol}`, `${token.ledger}, ${token.name}, ${token.decimals} decimals`],
    ['', `${token.index}, its index`],
    ['', `minted by ${token.mintingAccount}`],
  ] as const

export function printStatus(terminal: Terminal, status: StatusReply): void {
  const { ids, bitcoinHeight, waitingTransactions, diskBytes } = status
  const isVerbose = terminal.settings.verbose > 0 || terminal.settings.plain
  const stalled = waitingWords(status)
  const waiting = waitingTransactions === 0 ? '' : `, ${waitingTransactions} transactions waiting`
  printPairs(terminal, [
    ['State', `running for ${duration(status.uptimeMs)}, process ${status.pid}`],
    ['Health', status.health.replaceAll('_', '-')],
    ['Endpoint', status.url],
    ['Nodes', nodesText(status)],
    ...status.problems.map(({ node, problem }) => [`Node ${node}`, problem] as const),
    ...status.alarms.map((alarm) => ['Alarm', alarm] as const),
    ...(stalled === undefined
      ? []
      : ([
          ['Waiting', stalled],
          ['', 'ckbtc subnet heal-node --all'],
        ] as const)),
    ['Ledger', ids.ledger],
    ['Minter', ids.minter],
    ['Index', ids.index],
    ['Checker', ids.checker],
    ['Bitcoin', ids.bitcoin],
    ...status.tokens.flatMap(tokenPairs),
    ['Dashboard', dashboardUrl(status)],
    ['Subnet id', status.subnetId],
    ...(isVerbose ? ([['Root key', status.rootKey]] as const) : []),
    ['Chain', `height ${bitcoinHeight}${waiting}`],
    ...attachedPairs(status),
    ...unconfirmed(status).map(
      ({ txid, ...evidence }) => ['Outgoing', `${txid}: ${evidenceWords(evidence)}`] as const,
    ),
    ['Mining', miningWords(status.mining)],
    ['Presignatures', `${status.presignatures}`],
    ['Disk', diskBytes === undefined ? 'nothing is kept' : megabytes(diskBytes)],
  ])
}
