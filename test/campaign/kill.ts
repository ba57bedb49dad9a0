/** `npm run campaign`: 200 kills under load; SEED and ROUNDS choose others. See `campaign.ts`. */
import { randomBytes } from 'node:crypto'
import type { Round } from './campaign.ts'
import { playCampaign } from './campaign.ts'

const ROUNDS = 200
/** A lost state makes everything wrong; a few words tell it. */
const WRONG_SHOWN_MAX = 5
const { SEED = randomBytes(4).toString('hex'), ROUNDS: given } = process.env
const rounds = Number(given ?? ROUNDS)

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

function line({ round, lifeMs, killedStart, startMs, answers, report, ...rest }: Round): string {
  const { transfer, burn, deposit } = answers
  const refused = [...rest.refused].map(([reason, count]) => `${count} x ${reason}`)
  return [
    `round ${round}: killed after ${lifeMs} ms${killedStart ? ' and in its next start' : ''}`,
    `answered ${transfer} transfers, ${burn} redemptions, ${deposit} deposits`,
    ...(refused.length > 0 ? [`refused ${refused.join('; ')}`] : []),
    `started in ${startMs} ms`,
    `${report.blocks} blocks, ${report.events} events, ${rest.signatures} signatures`,
    `supply ${report.supplySat}, owed ${report.owedSat}, reserves ${report.reservesSat}`,
    `in flight ${report.inFlightSat}: ${report.verdict}`,
    ...rest.wrong.slice(0, WRONG_SHOWN_MAX).map((text) => `WRONG ${text}`),
    ...(rest.wrong.length > WRONG_SHOWN_MAX ? [`${rest.wrong.length} things wrong in all`] : []),
  ].join(', ')
}

say(`seed ${SEED}, ${rounds} rounds`)
const { rounds: played, kept } = await playCampaign({ seed: SEED, rounds }, (round) => {
  say(line(round))
})
const broken = played.filter(({ wrong }) => wrong.length > 0)
say(`${played.length} kills, ${broken.length} rounds with something wrong, seed ${SEED}`)
if (kept !== undefined) say(`the state is kept in ${kept}`)
process.exitCode = broken.length > 0 ? 1 : 0
