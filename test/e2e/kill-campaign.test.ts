/**
 * Goal: whatever moment the daemon is killed at, totals agree afterwards and no answer is lost.
 * Method: some rounds of the campaign (`npm run campaign` plays two hundred).
 */
import { expect, test } from 'vitest'
import { playCampaign } from '../campaign/campaign.ts'

const ROUNDS = 9
const MINUTES_MS = 900_000

test(
  `ledger §20.138: after each of ${ROUNDS} kills under load what was answered stands, and the totals agree`,
  async () => {
    const { rounds } = await playCampaign({ seed: 'slice', rounds: ROUNDS }, () => undefined)
    expect(rounds.flatMap(({ wrong, round }) => wrong.map((text) => `${round}: ${text}`))).toEqual(
      [],
    )
    expect(rounds).toHaveLength(ROUNDS)
    // Nothing is proved by a load that did nothing.
    const answered = rounds.reduce((sum, { answers }) => sum + answers.transfer, 0)
    expect(answered).toBeGreaterThan(ROUNDS)
    expect(rounds.at(-1)?.signatures).toBeGreaterThan(0)
  },
  MINUTES_MS,
)
