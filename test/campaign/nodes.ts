/**
 * `npm run campaign:nodes`: seven nodes, two of them killed and one lying in turn in each way, then
 * three killed. FAULTS chooses the ways, SEED the nodes, ISOLATION where they live. See
 * `faulty-nodes.ts`.
 */
import { randomBytes } from 'node:crypto'
import { lieKinds } from '../../src/core/subnet/lies.ts'
import { Dice } from './dice.ts'
import { faults } from './faults.ts'
import type { Played } from './faulty-nodes.ts'
import { FaultyNodes } from './faulty-nodes.ts'

const {
  SEED = randomBytes(4).toString('hex'),
  FAULTS = lieKinds.join(),
  ISOLATION = 'worker',
} = process.env

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

function tell({ name, killed, liar, blamed, seconds, wrong }: Played): void {
  const lied = liar === undefined ? '' : `, node ${liar} lied`
  const found = blamed.length === 0 ? '' : `, blamed for ${blamed.join(', ')}`
  say(`${name}: killed ${killed.join(' ')}${lied}${found}, ${seconds} s`)
  for (const text of wrong) say(`WRONG ${text}`)
}

say(`seed ${SEED}, faults ${FAULTS}, isolation ${ISOLATION}`)
const subnet = new FaultyNodes(new Dice(SEED))
const wrong: string[] = []
try {
  subnet.start(ISOLATION)
  for (const fault of faults.filter(({ kind }) => FAULTS.split(',').includes(kind))) {
    const played = await subnet.play(fault)
    tell(played)
    wrong.push(...played.wrong)
  }
  const played = await subnet.playTooManyDown()
  tell(played)
  wrong.push(...played.wrong, ...subnet.judgeReserves())
} catch (error) {
  wrong.push(error instanceof Error ? error.message : String(error))
}
if (wrong.length === 0) subnet.home.remove()
else {
  for (const text of wrong) say(`WRONG ${text}`)
  subnet.home.run('subnet stop')
  say(`the state is kept in ${subnet.home.path}`)
}
say(`${wrong.length} things wrong, seed ${SEED}`)
process.exitCode = wrong.length === 0 ? 0 : 1
