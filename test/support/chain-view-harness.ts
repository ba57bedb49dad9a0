/** A chain view under test: feeds it whole blocks and checks its invariants after each. */
import { expect } from 'vitest'
import type { TimestampNs } from '../../src/core/base/units.ts'
import type { Block } from '../../src/core/btc/block.ts'
import type { Event, Reply, Request, State } from '../../src/core/btc/chain-state.ts'
import { newState } from '../../src/core/btc/chain-state.ts'
import { execute, violations } from '../../src/core/btc/chain-view.ts'
import type { Network } from '../../src/core/btc/network.ts'
import { regtest } from '../../src/core/btc/network.ts'
import { NOW } from './chain-builder.ts'

export class ChainViewHarness {
  readonly state: State
  readonly events: Event[] = []

  constructor(stabilityThreshold = 144, network: Network = regtest) {
    this.state = newState({ network, stabilityThreshold })
  }

  run(request: Request, now: TimestampNs = NOW): Reply {
    const { events, reply } = execute(this.state, request, now)
    this.events.push(...events)
    expect(violations(this.state)).toEqual([])
    return reply
  }

  headers(...blocks: readonly Block[]): readonly Reply['type'][] {
    return blocks.map(({ header }) => this.run({ type: 'header', header }).type)
  }

  /** Bodies alone: their headers are known. */
  bodies(...blocks: readonly Block[]): readonly Reply[] {
    return blocks.map((block) => this.run({ type: 'block', block }))
  }

  /** Headers and bodies, each accepted. */
  follow(...blocks: readonly Block[]): void {
    for (const block of blocks) {
      expect(this.run({ type: 'header', header: block.header })).toEqual({ type: 'accepted' })
      expect(this.run({ type: 'block', block })).toEqual({ type: 'accepted' })
    }
  }

  /** Header accepted, body answered. */
  offer(block: Block): Reply {
    this.run({ type: 'header', header: block.header })
    return this.run({ type: 'block', block })
  }
}
