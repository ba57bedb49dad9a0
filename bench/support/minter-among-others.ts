/**
 * A minter with a hundred thousand coins, among others that answer at once. Source: performance
 * specification §7 G3.
 */
import type { Txid } from '../../src/core/base/bytes.ts'
import { bigEndian, hash32, u32be } from '../../src/core/base/bytes.ts'
import { assert } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import { sat, timestampNs } from '../../src/core/base/units.ts'
import type { Account } from '../../src/core/ic/account.ts'
import { principal } from '../../src/core/ic/principal.ts'
import { DEFAULT_SETTINGS } from '../../src/core/minter/constants.ts'
import type { World } from '../../src/core/minter/context.ts'
import { appendEvent, emptyLog, eventsOf } from '../../src/core/minter/events/event-log.ts'
import { replay } from '../../src/core/minter/events/replay.ts'
import type { Minter } from '../../src/core/minter/machine.ts'
import * as machine from '../../src/core/minter/machine.ts'
import type { Bitcoin, Ledger } from '../../src/core/minter/ports.ts'
import { acceptAll } from '../../src/core/minter/ports.ts'
import type { Utxo } from '../../src/core/minter/types.ts'
import type { HistoryOptions } from '../../test/support/minter-history.ts'
import { history, MINTER } from '../../test/support/minter-history.ts'
import { ROOT } from '../../test/support/minter-world.ts'

const SECOND_NS = 1_000_000_000n
const NOW = 2_000_000_000n * SECOND_NS
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const SPREAD = 2_654_435_761
/** Who withdraw. */
export const USERS = 5

/** Values are all over the place, and the same in every run. */
export const coinOf = (number: number): Utxo => ({
  outpoint: { txid: hash32(sha256(bigEndian(BigInt(number), 8))) as Txid, vout: 0 },
  value: sat(10_000n + BigInt(Math.imul(number, SPREAD) >>> 0) / 1_000n),
  height: 1,
})

export const userOf = (number: number): Account => ({
  owner: principal(Uint8Array.of(...u32be(number), 1, 1)),
})

/** Everything answers at once: what is measured is the minter. */
export class FreeWorld {
  #blocks = 0n
  #now = NOW
  utxos: readonly Utxo[] = []

  get world(): World {
    this.#now += 10n * SECOND_NS
    return { now: timestampNs(this.#now), ports: this.#ports }
  }

  readonly #ports: World['ports'] = {
    ledger: this.#ledger(),
    bitcoin: this.#bitcoin(),
    checker: acceptAll,
  }

  #ledger(): Ledger {
    const written = () => ({ type: 'ok', blockIndex: this.#blocks++ }) as const
    return {
      answersInStep: true,
      mint: written,
      burn: written,
      burnFrom: written,
      balanceOf: () => ({ type: 'balance', balance: 0n }),
      totalSupply: () => 0n,
      find: () => ({ type: 'temporarilyUnavailable', message: 'nobody asks' }),
    }
  }

  #bitcoin(): Bitcoin {
    return {
      utxos: () => ({ type: 'utxos', utxos: this.utxos, tipHeight: 1_000 }),
      feePercentiles: () => ({ type: 'percentiles', rates: [], isSet: false }),
      missing: () => [],
      confirmations: () => 0,
      send: () => ({ type: 'ok' }),
    }
  }
}

/** After `coins` deposits. */
export function richMinter(world: FreeWorld, { coins, accounts }: HistoryOptions): Minter {
  const log = emptyLog()
  for (const event of history({ accounts, coins })) {
    appendEvent(log, event)
    if (log.count > 2 * coins) break
  }
  const state = replay(eventsOf(log), MINTER)
  const minter = {
    state,
    log,
    settings: { ...DEFAULT_SETTINGS, autoMint: false, pendingRequestsMax: 1_000_000 },
  }
  machine.notify(minter, world.world, { type: 'rootKey', key: ROOT })
  machine.tick(minter, world.world)
  return minter
}

/** Withdrawals of a few users enter the queue. */
export function accept(minter: Minter, world: FreeWorld, count: number): void {
  for (let i = 0; i < count; i++) {
    const result = machine.handle(minter, world.world, {
      method: 'retrieve_btc_with_approval',
      caller: userOf(i % USERS).owner,
      args: { amount: 60_000n + BigInt(i), address: ADDRESS },
    })
    assert(result.type === 'reply' && result.value.type === 'ok', 'a withdrawal is accepted')
  }
}
