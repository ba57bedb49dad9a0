/**
 * Several sources as one view for the reserves: they must agree, at one block. Source: cli §5.13;
 * bitcoin.md §8.8 RV-2, RV-4, BE-4.
 */
import { equalBytes, toDisplayHex } from '../core/base/bytes.ts'
import { present, ReservesInconclusive } from '../core/base/errors.ts'
import type { BitcoinSource, Claim, SourceInfo, SpendStatus, TrustLabel } from './bitcoin-source.ts'
import { weakest } from './bitcoin-source.ts'
import type { BitcoinView, ViewedOutputs } from './reserve-coins.ts'

/** How a source is named in a report, and what its answers rested on. */
export type SourceTrust = {
  readonly source: string
  readonly label: TrustLabel
  readonly notes: readonly string[]
}

export type NamedSource = { readonly name: string; readonly source: BitcoinSource }

/**
 * Whether a coin counts as verified by these: one server's word is not enough (cli §5.13). Throws
 * `RESERVES_INCONCLUSIVE`.
 */
export function requireEnough(
  names: readonly { readonly kind: string; readonly name: string }[],
): void {
  const [first] = names
  const servers = new Set(names.filter(({ kind }) => kind === 'esplora').map(({ name }) => name))
  const others = names.filter(({ kind }) => kind !== 'esplora')
  if (first === undefined)
    throw new ReservesInconclusive('no source of Bitcoin was named', {
      fix: 'name one',
      command: 'ckbtc verify-reserves --help',
    })
  if (others.length > 0 || servers.size >= 2) return
  throw new ReservesInconclusive(
    `a coin counts as verified only when two Esplora servers agree, and only ${first.name} was named`,
    {
      fix: 'name a second server, or another kind of source beside it',
      command:
        'ckbtc verify-reserves --bitcoin-source esplora=<url> --bitcoin-source esplora=<url>',
    },
  )
}

export class AgreeingSources implements BitcoinView {
  readonly #sources: readonly NamedSource[]
  /** Of the last answer. */
  #trust: readonly SourceTrust[] = []
  #infos: readonly SourceInfo[] = []

  constructor(sources: readonly NamedSource[]) {
    this.#sources = sources
  }

  /** What the last answer rested on, by source. */
  get trust(): readonly SourceTrust[] {
    return this.#trust
  }

  async height(): Promise<number> {
    this.#infos = await Promise.all(this.#sources.map(({ source }) => source.info()))
    return Math.min(...this.#infos.map(({ tip }) => tip.height))
  }

  /** Undefined while the sources stand at different blocks. */
  async outputs(claims: readonly Claim[]): Promise<ViewedOutputs | undefined> {
    const answers = await Promise.all(this.#sources.map(({ source }) => source.spendStatus(claims)))
    const first = present(answers[0], 'there is a source')
    this.#trust = this.#sources.map(({ name }, i) => ({
      source: name,
      label: labelOf(present(answers[i], 'an answer of each source')),
      notes: this.#infos[i]?.notes ?? [],
    }))
    if (answers.some(({ at }) => !equalBytes(at.hash, first.at.hash))) return undefined
    for (const [i, answer] of answers.entries()) this.#compare(claims, first, answer, i)
    return { height: first.at.height, outputs: first.outputs }
  }

  #compare(claims: readonly Claim[], first: SpendStatus, other: SpendStatus, index: number): void {
    for (const [i, output] of other.outputs.entries()) {
      const expected = present(first.outputs[i], 'an output for each claim')
      if (sameOutput(expected, output)) continue
      const { txid, vout } = present(claims[i], 'a claim for each output').outpoint
      const names = [this.#sources[0]?.name, this.#sources[index]?.name].join(' and ')
      throw new ReservesInconclusive(
        `${names} disagree: coin ${toDisplayHex(txid)}:${vout} is ${expected.type} to one, ${output.type} to the other`,
        {
          fix: 'one of them is wrong; a third source tells which',
          command: 'ckbtc verify-reserves --help',
        },
      )
    }
  }

  async close(): Promise<void> {
    for (const { source } of this.#sources) await source.close()
  }
}

const labelOf = ({ exists, unspent }: SpendStatus): TrustLabel => weakest([exists, unspent])

/** A source that finds coins by what is unspent alone cannot tell spent from never made. */
function sameOutput(a: SpendStatus['outputs'][number], b: SpendStatus['outputs'][number]): boolean {
  if (a.type !== 'unspent' || b.type !== 'unspent')
    return a.type !== 'unspent' && b.type !== 'unspent'
  return a.value === b.value && a.height === b.height && equalBytes(a.script, b.script)
}
