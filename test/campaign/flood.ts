/**
 * `npm run flood`: hostile peers on loopback send as fast as the adapter reads; SECONDS says for how
 * long. The memory that it holds must not grow. Source: architecture §10.6.
 */
import { stdout } from 'node:process'
import { flood, GROWTH_MB_MAX, growthMb } from './flooding.ts'

const SECONDS = 600
const SAMPLES_MIN = 8

const asked = process.argv.indexOf('--seconds')
const seconds = asked === -1 ? SECONDS : Number(process.argv[asked + 1])
const say = (text: string): boolean => stdout.write(`${text}\n`)

const samples = await flood({
  seconds,
  samples: Math.max(SAMPLES_MIN, Math.round(seconds / 60)),
  onSample: ({ seconds: at, heldMb, residentMb, sentMb, connections }) =>
    say(
      `${at.toFixed(0).padStart(5)} s  ${heldMb.toFixed(1)} MB held  ` +
        `${residentMb.toFixed(1)} MB resident  ${sentMb.toFixed(0)} MB sent  ` +
        `${connections} connections`,
    ),
})
const growth = growthMb(samples)
say(`${growth.toFixed(1)} MB more at the end, at most ${GROWTH_MB_MAX}`)
process.exitCode = growth > GROWTH_MB_MAX ? 1 : 0
