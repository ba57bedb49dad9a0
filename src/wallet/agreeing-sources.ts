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

/** Blocks of mainnet come every ten minutes: a tip so old is behind, or cut off. */
const TIP_AGE_SECONDS_MAX = 6 * 3_600

export class AgreeingSources implements BitcoinView {
  readonly #sources: readonly NamedSource[]
  readonly #nowSeconds: () => number
  /** Of the last answer. */
  #trust: readonly SourceTrust[] = []
  #infos: readonly SourceInfo[] = []

  constructor(
    sources: readonly NamedSource[],
    nowSeconds: () => number = () => Math.floor(Date.now() / 1_000),
  ) {
    this.#sources = sources
    this.#nowSeconds = nowSeconds
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
      notes: this.#notesOf(this.#infos[i]),
    }))
    if (answers.some(({ at }) => !equalBytes(at.hash, first.at.hash))) return undefined
    for (const [i, answer] of answers.entries()) this.#compare(claims, first, answer, i)
    return { height: first.at.height, outputs: first.outputs }
  }

  #notesOf(info: SourceInfo | undefined): readonly string[] {
    if (info === undefined) return []
    const age = this.#nowSeconds() - info.tip.time
    if (info.network !== 'mainnet' || age <= TIP_AGE_SECONDS_MAX) return info.notes
    return [...info.notes, `its newest block is ${Math.floor(age / 3_600)} h old: it may be behind`]
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
