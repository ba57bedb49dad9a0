/**
 * Those of our transactions that may be announced, as a family: who spends whom, and who spends the
 * same. Source: `docs/spec/bitcoin.md` §10.6.
 */
import { equalBytes, toHex } from '../base/bytes.ts'
import type { View } from '../base/view.ts'
import type { Outgoing } from './outgoing.ts'
import type { Verdict } from './precheck.ts'
import { outpointKey } from './transaction.ts'

export type Member = Extract<Verdict, { type: 'passed' }> & {
  readonly own: View<Outgoing>
  /** Unconfirmed ones of ours that it builds on. */
  readonly ancestors: ReadonlySet<Member>
  /** Later ones have higher numbers. */
  readonly place: number
}

export class OutgoingFamily {
  /** Older ones first. */
  readonly members: Member[] = []
  readonly #byTxid = new Map<string, Member[]>()
  readonly #bySpent = new Map<string, Member[]>()
  /** Those that a node drops when it takes all of these in turn. */
  readonly #replaced = new Set<Member>()

  add(one: Omit<Member, 'place'>): void {
    for (const replaced of this.wouldReplace(one.own)) this.#replaced.add(replaced)
    const member: Member = { ...one, place: this.members.length }
    const { txid, transaction } = member.own
    this.members.push(member)
    append(this.#byTxid, toHex(txid), member)
    for (const { outpoint } of transaction.inputs)
      append(this.#bySpent, outpointKey(outpoint), member)
  }

  parents({ transaction }: View<Outgoing>): readonly Member[] {
    const ids = new Set(transaction.inputs.map(({ outpoint }) => toHex(outpoint.txid)))
    return [...ids].flatMap((id) => this.#byTxid.get(id) ?? [])
  }

  /** Those that spend the same output; not the same transaction with another witness. */
  rivals({ txid, transaction }: View<Outgoing>): readonly Member[] {
    const found = transaction.inputs.flatMap(
      ({ outpoint }) => this.#bySpent.get(outpointKey(outpoint)) ?? [],
    )
    return [...new Set(found)].filter(({ own }) => !equalBytes(own.txid, txid))
  }

  /**
   * What a node would drop for it: its rivals, and what builds on them. Of a chain of replacements
   * a node has the newest alone, so that the fees of those before it are not asked for again.
   */
  wouldReplace(own: View<Outgoing>): readonly Member[] {
    return this.#withDescendants(this.rivals(own)).filter((member) => !this.#replaced.has(member))
  }

  #withDescendants(members: readonly Member[]): readonly Member[] {
    if (members.length === 0) return []
    return this.members.filter(
      (one) => members.includes(one) || members.some((member) => one.ancestors.has(member)),
    )
  }
}

function append(map: Map<string, Member[]>, key: string, member: Member): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [member])
  else list.push(member)
}
