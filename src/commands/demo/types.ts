/** What the demo tells while it runs and what it answers. Implements `docs/spec/cli.md` §5.1. */
import type { Sat } from '../../core/base/units.ts'

export type DemoOptions = {
  /** 1 to 40. */
  readonly nodes: number
  /** One node stops before the redemption; needs at least 4 nodes. */
  readonly chaos: boolean
  /** Aborted by Ctrl-C; its `reason` is what the run rejects with after it has cleaned up. */
  readonly signal: AbortSignal
}

export type DemoStepName = DemoStep['name']

/**
 * A finished step. `ok` is whether its own check held. Node ids count from 1, hex is lower case.
 */
export type DemoStep = Timed &
  (
    | { readonly name: 'subnet'; readonly publicKey: string }
    | { readonly name: 'deposit-address'; readonly address: string }
    | {
        readonly name: 'deposit'
        readonly amountSat: Sat
        readonly txid: string
        readonly confirmations: number
      }
    | {
        readonly name: 'mint'
        readonly amountSat: Sat
        readonly feeSat: Sat
        readonly blockIndex: bigint
      }
    | {
        readonly name: 'transfer'
        readonly amountSat: Sat
        readonly feeSat: Sat
        /** Name of the receiving account, `dev1`. */
        readonly to: string
        readonly blockIndex: bigint
      }
    | {
        readonly name: 'redeem'
        /** What was burned. */
        readonly amountSat: Sat
        /** What arrived on Bitcoin. */
        readonly receivedSat: Sat
        readonly txid: string
        readonly confirmations: number
        readonly signedBy: readonly number[]
        readonly blockIndex: bigint
      }
    | {
        readonly name: 'reserves'
        readonly reservesSat: Sat
        readonly supplySat: Sat
        readonly owedSat: Sat
        readonly verdict: DemoVerdict
        /** Reserves − supply − owed; negative when short. */
        readonly surplusSat: bigint
      }
  )

/** `ms`: whole milliseconds. */
type Timed = { readonly ok: boolean; readonly ms: number }

export type DemoVerdict = 'backed' | 'shortfall' | 'mismatch' | 'inconclusive'

export type DemoEvent =
  | { readonly type: 'step-started'; readonly name: DemoStepName }
  /** `text`: what is being waited for and how far it is, `3/6 confirmations`. */
  | { readonly type: 'step-progress'; readonly name: DemoStepName; readonly text: string }
  | { readonly type: 'step-done'; readonly step: DemoStep }
  /** Something that happened to the subnet, `node 3 stopped; the other three go on`. */
  | { readonly type: 'note'; readonly text: string }

/** Content of `data` in `ckbtc.demo.v1`, with names in camel case. */
export type DemoResult = {
  readonly nodes: number
  readonly tolerates: number
  readonly publicKey: string
  /** Whole milliseconds. */
  readonly durationMs: number
  readonly steps: readonly DemoStep[]
  readonly verdict: DemoVerdict
  readonly surplusSat: bigint
}

/**
 * Runs the story once and leaves nothing behind, whatever its end.
 *
 * Rejects with `signal.reason` when aborted and with a `CkbtcError` for a failed check or
 * environment.
 */
export type RunDemo = (
  options: DemoOptions,
  observe: (event: DemoEvent) => void,
) => Promise<DemoResult>
