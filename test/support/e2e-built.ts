/** The demo as it is built: its workers start from `dist`, so tests of it do as well. */
import type * as Story from '../../src/commands/demo/story.ts'
import type { DemoEvent, DemoResult, DemoStepName } from '../../src/commands/demo/types.ts'

// A name that is computed keeps the type checker from asking for what is built later.
const address = new URL('../../dist/commands/demo/story.js', import.meta.url).href
const story: typeof Story = await import(address)

export const stepNames = [
  'subnet',
  'deposit-address',
  'deposit',
  'mint',
  'transfer',
  'redeem',
  'reserves',
] as const satisfies readonly DemoStepName[]

type Hook = NonNullable<Story.DemoHooks['beforeStep']>
export type Local = Parameters<Hook>[1]

/** Plays the demo with four nodes; `observe` gets the subnet too. */
export function playDemo(
  beforeStep: Hook,
  observe: (event: DemoEvent, local: Local) => void = () => undefined,
): Promise<DemoResult> {
  let local: Local | undefined
  return story.runDemo(
    { nodes: 4, chaos: false, signal: new AbortController().signal },
    (event) => {
      if (local !== undefined) observe(event, local)
    },
    {
      beforeStep: (name, subnet) => {
        local = subnet
        return beforeStep(name, subnet)
      },
    },
  )
}

/** What is true of every demo that ended well, whoever was away meanwhile. */
export function soundness({ steps, verdict }: DemoResult): object {
  return { steps: steps.filter(({ ok }) => ok).map(({ name }) => name), verdict }
}

export const sound = { steps: stepNames, verdict: 'backed' }

export function signersOf({ steps }: DemoResult): readonly number[] {
  return steps.flatMap((step) => (step.name === 'redeem' ? step.signedBy : []))
}
