/**
 * Mutants of broadcast, agreement and log: the changes that threshold §22.4 says its checker must
 * catch, and some more.
 */
import type { Mutant } from './mutant.ts'

const inLog = (
  name: string,
  file: string,
  change: { readonly from: string; readonly to: string },
  ...tests: readonly string[]
): Mutant => ({
  name,
  file: file.includes('/') ? file : `log/${file}.ts`,
  ...change,
  tests: tests.map((test) => {
    const [sim, words] = test.split('#')
    return `sim/${sim}.sim.ts${words === undefined ? '' : `#${words}`}`
  }),
})

const quorums: readonly Mutant[] = [
  inLog(
    '2f + 1 for the echo quorum (n = 5)',
    'broadcast',
    {
      from: 'Math.floor((nodes + faultyMax(nodes)) / 2) + 1',
      to: '2 * faultyMax(nodes) + 1',
    },
    'log-random#byzantine, 5 nodes',
  ),
  inLog(
    '2f + 1 for n − f (n = 6)',
    'base/party.ts',
    { from: 'nodes - faultyMax(nodes)\n', to: '2 * faultyMax(nodes) + 1\n' },
    'agreement#alone, 6 nodes',
  ),
  inLog(
    '2f for n − f (n = 4)',
    'base/party.ts',
    { from: 'nodes - faultyMax(nodes)\n', to: 'Math.max(2 * faultyMax(nodes), 1)\n' },
    'agreement#alone, 4 nodes',
  ),
  inLog(
    'a value enters the bin on f + 1 bval',
    'agreement',
    {
      from: 'heard.size >= verificationThreshold(nodes) && !bin',
      to: 'heard.size >= reconstructionThreshold(nodes) && !bin',
    },
    'agreement',
  ),
  inLog(
    'decides on f term',
    'agreement',
    {
      from: 'this.#termsFor(value) >= reconstructionThreshold(nodes))',
      to: 'this.#termsFor(value) >= Math.max(reconstructionThreshold(nodes) - 1, 1))',
    },
    'agreement',
  ),
  inLog(
    'stops on f + 1 term',
    'agreement',
    {
      from: 'this.#termsFor(decision) >= verificationThreshold(nodes)',
      to: 'this.#termsFor(decision) >= reconstructionThreshold(nodes)',
    },
    'agreement',
  ),
  inLog(
    'delivers a proposal on f + 1 ready',
    'broadcast',
    {
      from: "this.#leading('ready', verificationThreshold(nodes))",
      to: "this.#leading('ready', reconstructionThreshold(nodes))",
    },
    'log-random#byzantine, 4 nodes',
  ),
  inLog(
    'takes slots that f nodes state',
    'catch-up',
    {
      from: 'if (count >= reconstructionThreshold(this.#nodes)) return hash',
      to: 'if (count >= Math.max(reconstructionThreshold(this.#nodes) - 1, 1)) return hash',
    },
    'log-random#byzantine, 4 nodes',
  ),
  inLog(
    'a second vote of a sender replaces the first',
    'broadcast',
    {
      from: 'if (before !== undefined) return equalBytes(before, hash)',
      to: 'if (before !== undefined && equalBytes(before, hash)) return true',
    },
    'log-random#byzantine, 4 nodes',
  ),
]

const steps: readonly Mutant[] = [
  inLog(
    'bval is not repeated',
    'agreement',
    {
      from: 'heard.size >= reconstructionThreshold(nodes) && !heard.has(me)',
      to: 'heard.size > nodes && !heard.has(me)',
    },
    'agreement',
  ),
  inLog(
    'bval is not repeated in past rounds',
    'agreement',
    {
      from: 'for (let r = 0; r <= this.#round; r++) {',
      to: 'for (let r = this.#round; r <= this.#round; r++) {',
    },
    'agreement',
  ),
  inLog(
    'the coin is looked at without conf',
    'agreement',
    {
      from: 'values: unionOf(inside.map(setOf)) }) // Step 3.',
      to: 'values: unionOf(inside.map(setOf)) })\n      round.union = unionOf(inside.map(setOf))',
    },
    'agreement#hostile',
  ),
  inLog(
    'input 0 before n − f ones',
    'slot-round',
    {
      from: 'if (entered < agreementQuorum(this.#options.nodes)) return',
      to: 'if (entered < 1) return',
    },
    'log-random#byzantine, 4 nodes',
  ),
  inLog(
    'echoes without the bodies',
    'slot-round',
    {
      from: '    if (bodies === undefined) return\n    this.#echoed.push(node)',
      to: '    this.#echoed.push(bodies === undefined ? node : node)',
    },
    'log-faults#withholds',
  ),
  inLog(
    'resend is not answered',
    'log-party',
    {
      from: "      case 'resend':\n      case 'copy':",
      to: "      case 'resend':\n        if (message.type === 'resend') return\n      case 'copy':",
    },
    'log-faults',
  ),
]

const records: readonly Mutant[] = [
  inLog(
    'votes are not recorded',
    'own-votes',
    {
      from: "written.map((record) => ({ type: 'record', ...record }))",
      to: "written.slice(written.length).map((record) => ({ type: 'record', ...record }))",
    },
    'log-faults#crash and come back',
  ),
  inLog(
    'estimates are not found again',
    'agreement',
    {
      from: 'if (from === this.#options.me && vote.isEstimate && vote.round >= this.#round)',
      to: 'if (from === this.#options.me && vote.isEstimate && vote.round > 1_000_000)',
    },
    'log-faults#crash and come back',
  ),
  inLog(
    'own initial is not recorded',
    'journal',
    {
      from: 'new Writer().list(votes, writeVote).done()',
      to: "new Writer().list(votes.filter(({ type }) => type !== 'initial'), writeVote).done()",
    },
    'log-faults#crash and come back',
  ),
  inLog(
    'forgets a slot at its delivery',
    'log-party',
    {
      from: 'this.#votes.forgetBelow(slot.number)',
      to: 'this.#votes.forgetBelow(slot.number + 1n)',
    },
    'log-faults',
  ),
  inLog(
    'abstains after a restart',
    'slot-round',
    {
      from: 'for (const vote of said.votes) this.#count(this.#options.me, vote)\n    this.#resuming = false',
      to: 'for (const vote of said.votes) this.#count(this.#options.me, vote)',
    },
    'log-faults#crash and come back',
  ),
]

export const logMutants: readonly Mutant[] = [...quorums, ...steps, ...records]
