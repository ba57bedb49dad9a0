/**
 * How a subnet stands to the node of the user's that it follows, and what is wrong with that.
 * Source: `docs/spec/cli.md` §5.16, `docs/spec/bitcoin.md` §1.2.
 */
import { toDisplayHex } from '../../core/base/bytes.ts'
import { clockDoubt } from '../../core/btc/header.ts'
import { AttachedBitcoin } from '../bitcoin/attached-node.ts'
import { textOfPlace } from '../bitcoin-place.ts'
import type { StatusReply } from '../control/protocol.ts'
import { BANS_SHOWN_MAX } from '../control/protocol.ts'
import type { LocalSubnet } from '../local-subnet.ts'
import type { BannedHost, BitcoinAnswer } from '../node/protocol.ts'

/** Bans that people are told of; programs see more. */
const BANS_NOTED_MAX = 5

type Attached = NonNullable<StatusReply['attached']>
export type AttachedFacts = Omit<Attached, 'notes'> & {
  /** Blocks that the subnet's process has, and f + 1 of its nodes. */
  readonly height: number
  readonly subnetHeight: number
  /** So old that Core takes its node to be in initial download. */
  readonly isStale: boolean
  readonly aheadSeconds: number | undefined
  readonly nodesUp: number
  /** Why the last connection was ended that does not stand. */
  readonly lastOffence: string | undefined
  readonly eclipseRisk: string | undefined
}

/** What each node that is up says, in their order. */
export async function askNodes({
  chain,
  subnet,
}: Pick<LocalSubnet, 'chain' | 'subnet'>): Promise<readonly (BitcoinAnswer | undefined)[]> {
  const asked = subnet.up.map((node) => subnet.ask(node, { type: 'bitcoin' }))
  const answers = await Promise.all(asked)
  return chain instanceof AttachedBitcoin
    ? answers.map((answer) => answer && withCanary(answer, chain))
    : answers
}

/** The process's own connection is the canary of all nodes (bitcoin EV-1). */
const withCanary = (
  answer: BitcoinAnswer,
  canary: Pick<AttachedBitcoin, 'takenAgeMs'>,
): BitcoinAnswer => ({
  ...answer,
  transactions: answer.transactions.map((report) => {
    const isOpen = ['queued', 'announced', 'requested'].includes(report.fate.type)
    const ageMs = isOpen ? canary.takenAgeMs(report.bytes) : undefined
    if (ageMs === undefined) return report
    return { ...report, fate: { type: 'echoed', peers: 1 }, ageMs, remark: undefined }
  }),
})

/** Undefined while the chain is the subnet's own. */
export function attachedStatus(
  local: LocalSubnet,
  answers: readonly (BitcoinAnswer | undefined)[],
): Attached | undefined {
  const { chain, subnet, bitcoinHeight: subnetHeight } = local
  if (!(chain instanceof AttachedBitcoin)) return undefined
  const { up } = subnet
  const shown = answers.map((answer) => answer?.shownHeight ?? 0)
  const { place, tip, height, isStale, aheadSeconds } = chain
  const shownHeight = chain.wentBackTo ?? Math.max(chain.shownHeight, ...shown)
  const facts = {
    address: textOfPlace(place),
    network: place.network,
    isConnected: chain.peer?.state === 'ready',
    nodesConnected: up.flatMap((node, i) => (answers[i]?.isConnected ? [node + 1] : [])),
    shownHeight,
    tipHash: toDisplayHex(tip.hash),
    tipTime: tip.time,
    isCatchingUp: Math.min(height, subnetHeight) < shownHeight,
    bans: bansOf(answers),
  }
  const nodesUp = up.length
  const ended = answers.filter((answer) => answer?.isConnected === false)
  const notes = notesOf({
    ...facts,
    height,
    subnetHeight,
    isStale,
    aheadSeconds,
    nodesUp,
    lastOffence: ended.flatMap((answer) => answer?.lastOffence ?? [])[0],
    eclipseRisk: answers.flatMap((answer) => answer?.eclipseRisk ?? [])[0],
  })
  return { ...facts, notes }
}

/** Of all nodes, each host once, the longest ban first (MB-3). */
export function bansOf(answers: readonly (BitcoinAnswer | undefined)[]): readonly BannedHost[] {
  const bans = answers.flatMap((answer) => answer?.bans ?? [])
  const longest = bans.toSorted((a, b) => b.untilMs - a.untilMs)
  const isFirst = ({ host }: BannedHost, i: number): boolean =>
    longest.findIndex((ban) => ban.host === host) === i
  return longest.filter(isFirst).slice(0, BANS_SHOWN_MAX)
}

/** What somebody should know or do, the gravest first. */
export function notesOf(facts: AttachedFacts): readonly string[] {
  const { address, network, isConnected, nodesConnected, nodesUp } = facts
  const notes: string[] = []
  if (!isConnected && nodesConnected.length === 0)
    notes.push(`nothing answers at ${address}: start that node; nothing is lost meanwhile`)
  else if (nodesConnected.length < nodesUp)
    notes.push(`${nodesUp - nodesConnected.length} of ${nodesUp} nodes are not connected to it`)
  if (facts.lastOffence !== undefined)
    notes.push(`a connection to it was ended: ${facts.lastOffence}`)
  if (facts.eclipseRisk !== undefined)
    notes.push(`eclipse risk: every peer is in ${facts.eclipseRisk}; who has it may hide the chain`)
  for (const { host, reason, untilMs } of facts.bans.slice(0, BANS_NOTED_MAX))
    notes.push(`${host} is not used until ${new Date(untilMs).toISOString()}: ${reason}`)
  if (facts.aheadSeconds !== undefined) notes.push(clockDoubt(facts.aheadSeconds))
  if (isConnected && !facts.isCatchingUp && facts.shownHeight < facts.subnetHeight)
    notes.push(
      `its chain ends at ${facts.shownHeight}, below what the subnet has seen: ` +
        'where that node was begun anew, begin the subnet anew too: ckbtc subnet reset',
    )
  if (isConnected && !facts.isCatchingUp && facts.isStale)
    notes.push(
      network === 'regtest'
        ? 'its newest block is older than a day: bitcoind then ignores transactions; mine one'
        : 'its newest block is older than six hours: it may be cut off from its peers',
    )
  if (network === 'signet') notes.push('the signatures of signet blocks are not verified')
  return notes
}
