/**
 * How the presignatures of one algorithm come to be: which transcripts, in which order. Source:
 * threshold §12.
 */
import type { Transcript } from './parameters.ts'
import type { Run } from './run.ts'
import type { RunLedger } from './run-ledger.ts'

/** The transcripts of a presignature by name, each final. */
export type Runs<P> = Readonly<Record<string, Run<P>>>

/** One presignature in the making. */
export interface InCreation<P, W extends Runs<P>> {
  /** A transcript is final: opens those that waited for it. */
  advance(key: Transcript<P>): void
  /** Once all of it is final. */
  readonly whole: W | undefined
  /** Everything that was opened for it. */
  readonly opened: readonly Run<P>[]
}

/** Opens what waits for nothing. */
export type Recipe<P, W extends Runs<P>> = (ledger: RunLedger<P>) => InCreation<P, W>

/** What a node signs with: κ is needed by everybody, the shares of the others by their owners. */
export type EcdsaRuns<P> = {
  readonly kappa: Run<P>
  readonly lambda: Run<P>
  readonly kappaLambda: Run<P>
  readonly keyLambda: Run<P>
}

/** §12.1: κ and λ at once; xλ when λ is final, κλ when both are. */
export function ecdsaRecipe<P>(ledger: RunLedger<P>): InCreation<P, EcdsaRuns<P>> {
  const kappa = ledger.open({ type: 'randomUnmasked' })
  const lambda = ledger.open({ type: 'random' })
  let kappaLambda: Run<P> | undefined
  let keyLambda: Run<P> | undefined
  return {
    advance: (key) => {
      const [left, right] = [kappa.transcript, lambda.transcript]
      if (right === undefined) return
      keyLambda ??= ledger.open({ type: 'unmaskedTimesMasked', left: key, right })
      if (left === undefined) return
      kappaLambda ??= ledger.open({ type: 'unmaskedTimesMasked', left, right })
    },
    get whole() {
      if (kappaLambda?.transcript === undefined || keyLambda?.transcript === undefined)
        return undefined
      return { kappa, lambda, kappaLambda, keyLambda }
    },
    get opened() {
      return [kappa, lambda, kappaLambda, keyLambda].filter((run) => run !== undefined)
    },
  }
}

export type SchnorrRuns<P> = { readonly blinder: Run<P> }

/** §12.2. */
export function schnorrRecipe<P>(ledger: RunLedger<P>): InCreation<P, SchnorrRuns<P>> {
  const blinder = ledger.open({ type: 'randomUnmasked' })
  return {
    advance: () => undefined,
    get whole() {
      return blinder.transcript === undefined ? undefined : { blinder }
    },
    opened: [blinder],
  }
}
