/**
 * Random histories of the minter: deposits, withdrawals, reorganisations, fee jumps, stuck and
 * replaced transactions, crashes. Whatever happens, what §18.5 and §18.7 of the minter say holds after
 * every event; when it is over, every burn is paid or given back.
 */
import { describe, expect, it } from 'vitest'
import { playHistory } from '../support/history/play.ts'
import { seedsTo } from '../support/seeds.ts'

describe('a history of the minter', () => {
  it.each(seedsTo(100))('seed %i: no satoshi is lost and none is made', (seed) => {
    expect(playHistory(seed).books.ledger.problems).toEqual([])
  })
})
