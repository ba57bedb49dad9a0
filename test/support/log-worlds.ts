/** Nets and liars that more than one simulation of the log uses. */
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { attempt } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { faultyMax } from '../../src/core/base/party.ts'
import { decodeLogMessage } from '../../src/core/log/message.ts'
import { decodeProposal, encodeProposal } from '../../src/core/log/proposal.ts'
import type { LogNet } from './log-net.ts'
import type { Liar, LogNetOptions, Message } from './log-net-options.ts'
import { encoded, INCARNATION, votesBytes } from './log-world.ts'
import type { Random } from './random.ts'

/** The last f nodes. */
export const lastOf = (nodes: number): readonly NodeIndex[] =>
  Array.from({ length: faultyMax(nodes) }, (_, i) => nodes - 1 - i)

/** Says all that an honest node does. A test makes it say more. */
export const obedient: Liar = { says: (message) => [message], hears: () => [] }

/** Says nothing. */
export const silent: Liar = { says: () => [], hears: () => [] }

export const liarsOf = (
  nodes: number,
  liar: (node: NodeIndex) => Liar,
): ReadonlyMap<NodeIndex, Liar> => new Map(lastOf(nodes).map((node) => [node, liar(node)]))

/** Each node of a list dies for good, or for a while, before one of its outputs. */
export function crashAt(
  nodes: readonly NodeIndex[],
  step: number,
  downMs: number,
): NonNullable<LogNetOptions['crash']> {
  const counts = new Map<NodeIndex, number>()
  return (node) => {
    const count = counts.get(node) ?? 0
    counts.set(node, count + 1)
    return nodes.includes(node) && count === step ? downMs : undefined
  }
}

/** Each of its proposals names an item that it gives, once, to those it favours, and to nobody else. */
export function withholding(me: NodeIndex, favoured: readonly NodeIndex[]): Liar {
  const hidden = new Map<string, Uint8Array>()
  const given = new Set<string>()
  /** Hash of its own proposal, by slot. */
  const own = new Map<bigint, Hash32>()
  const decode = (bytes: Uint8Array) => attempt(() => decodeLogMessage(INCARNATION, bytes))
  return {
    says(message: Message): readonly Message[] {
      const said = decode(message.bytes)
      if (said === undefined || said instanceof Error || said.type !== 'votes') return [message]
      const votes = said.votes.map((vote) => {
        const hash = own.get(said.slot)
        if ((vote.type === 'echo' || vote.type === 'ready') && vote.instance === me)
          return hash === undefined ? vote : { ...vote, hash }
        if (vote.type !== 'initial') return vote
        const item = Uint8Array.of(255, Number(said.slot & 0xffn))
        hidden.set(sha256(item).join(), item)
        const { clock, items } = decodeProposal(vote.proposal)
        const proposal = encodeProposal({ clock, items: [...items, sha256(item)] })
        own.set(said.slot, sha256(proposal))
        return { type: 'initial', proposal } as const
      })
      return [{ ...message, bytes: votesBytes(me, said.slot, votes) }]
    },
    hears({ from, bytes }: Message): readonly Message[] {
      const heard = decode(bytes)
      if (heard === undefined || heard instanceof Error || heard.type !== 'want') return []
      if (!favoured.includes(from)) return []
      return heard.items.flatMap((hash) => {
        const item = hidden.get(hash.join())
        const name = `${from} ${hash.join()}`
        if (item === undefined || given.has(name)) return []
        given.add(name)
        return [{ from: me, to: from, bytes: encoded({ type: 'body', item }) }]
      })
    },
  }
}

/** All want something, and go on wanting: a new item of each node every `everyMs`. */
export function keepBusy(
  net: LogNet,
  nodes: readonly NodeIndex[],
  { everyMs, untilMs }: { readonly everyMs: number; readonly untilMs: number },
): void {
  let count = 0
  const again = (): void => {
    if (net.nowMs >= untilMs) return
    for (const node of nodes) {
      count += 1
      net.submit(node, new TextEncoder().encode(`busy ${node}/${count}`))
    }
    net.later(everyMs, again)
  }
  again()
}

/** Does something every so often, until the end. */
export function forEver(net: LogNet, everyMs: number, act: (random: Random) => void): void {
  const again = (): void => {
    act(net.random)
    net.later(everyMs, again)
  }
  net.later(everyMs, again)
}
