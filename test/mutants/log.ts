/** Mutants of the log: quorums, steps of agreement, records, answers, catch-up and bounds. */
import type { Mutant } from './mutant.ts'

const log = (
  name: string,
  file: string,
  change: { readonly from: string; readonly to: string },
  ...tests: readonly string[]
): Mutant => ({
  name,
  file: `log/${file}.ts`,
  ...change,
  tests: tests.map((test) => {
    const [path = '', words] = test.split('#')
    const whole = path.includes('/') ? path : `sim/${path}.sim.ts`
    return words === undefined ? whole : `${whole}#${words}`
  }),
})

const quorums: readonly Mutant[] = [
  log(
    '2f + 1 for the echo quorum, at n = 5',
    'broadcast',
    {
      from: 'Math.floor((nodes + faultyMax(nodes)) / 2) + 1',
      to: 'verificationThreshold(nodes)',
    },
    'log-random#5 nodes',
  ),
  log(
    'ready after f readies',
    'broadcast',
    {
      from: "this.#leading('ready', reconstructionThreshold(nodes))",
      to: "this.#leading('ready', Math.max(1, faultyMax(nodes)))",
    },
    'log-random#4 nodes',
  ),
  log(
    'a proposal is delivered after f + 1 readies',
    'broadcast',
    {
      from: "this.#leading('ready', verificationThreshold(nodes))",
      to: "this.#leading('ready', reconstructionThreshold(nodes))",
    },
    'core/log/broadcast.test.ts',
  ),
  {
    name: '2f + 1 for n − f, at n = 6',
    file: 'base/party.ts',
    from: 'nodes - faultyMax(nodes)',
    to: '2 * faultyMax(nodes) + 1',
    tests: ['sim/agreement.sim.ts#hostile to the coin, 6 nodes'],
  },
  {
    name: '2f for n − f, at n = 4',
    file: 'base/party.ts',
    from: 'nodes - faultyMax(nodes)',
    to: 'Math.max(2 * faultyMax(nodes), 1)',
    tests: ['sim/agreement.sim.ts#hostile to the coin, 4 nodes', 'sim/log-random.sim.ts#4 nodes'],
  },
  log(
    'a value enters bin at f + 1',
    'agreement',
    {
      from: 'heard.size >= verificationThreshold(nodes) && !bin',
      to: 'heard.size >= reconstructionThreshold(nodes) && !bin',
    },
    'agreement#agreement alone',
  ),
  log(
    'deciding on f term',
    'agreement',
    {
      from: 'this.#termsFor(value) >= reconstructionThreshold(nodes))',
      to: 'this.#termsFor(value) >= Math.max(1, reconstructionThreshold(nodes) - 1))',
    },
    'agreement#agreement alone',
    'log-random#4 nodes',
  ),
  log(
    'stopping on f + 1 term',
    'agreement',
    {
      from: 'this.#termsFor(decision) >= verificationThreshold(nodes)',
      to: 'this.#termsFor(decision) >= reconstructionThreshold(nodes)',
    },
    'agreement#would leave the rest',
  ),
  log(
    'input 0 before n − f ones',
    'slot-round',
    {
      from: 'if (entered < agreementQuorum(this.#options.nodes)) return',
      to: 'if (entered < agreementQuorum(this.#options.nodes) - 1) return',
    },
    'log-random#4 nodes',
  ),
  log(
    'f nodes are taken at their word about the past',
    'catch-up',
    { from: 'count >= reconstructionThreshold(this.#nodes)', to: 'count >= 1' },
    'core/log/catch-up.test.ts',
  ),
]

const agreement: readonly Mutant[] = [
  log(
    'no repeating of bval',
    'agreement',
    {
      from: 'if (heard.size >= reconstructionThreshold(nodes) && !heard.has(me)) {',
      to: 'if (r < 0 && !heard.has(me)) {',
    },
    'agreement#agreement alone',
  ),
  log(
    'no repeating of bval in past rounds',
    'agreement',
    {
      from: 'for (let r = 0; r <= this.#round; r++) {',
      to: 'for (let r = this.#round; r <= this.#round; r++) {',
    },
    'agreement#in past rounds',
  ),
  log(
    'no conf',
    'agreement',
    {
      from: "say({ type: 'conf', round: r, values: unionOf(inside.map(setOf)) }) // Step 3.",
      to: "round.union = unionOf(inside.map(setOf))\n      say({ type: 'conf', round: r, values: round.union })",
    },
    'agreement#hostile to the coin, 4 nodes',
  ),
  log(
    'the coin is looked at before the values are fixed',
    'agreement',
    {
      from: "say({ type: 'aux', round: r, value: first }) // Step 2.",
      to: "say({ type: 'aux', round: r, value: first })\n      this.#coin(round)",
    },
    'agreement#hostile to the coin, 4 nodes',
  ),
  log(
    'one value decides whatever the coin says',
    'agreement',
    {
      from: 'if (value === coin && this.#decision === undefined)',
      to: 'if (this.#decision === undefined)',
    },
    'agreement#agreement alone',
  ),
  log(
    'conf counts with values that are not accepted',
    'agreement',
    { from: '(values & ~accepted) === 0', to: 'values > 0' },
    'agreement#agreement alone',
  ),
  log(
    'the second vote of a sender counts',
    'agreement',
    { from: 'if (before === undefined) votes.set(from, value)', to: 'votes.set(from, value)' },
    'core/log/agreement.test.ts',
  ),
]

const records: readonly Mutant[] = [
  log(
    'votes are not recorded',
    'own-votes',
    {
      from: "records: written.map((record) => ({ type: 'record', ...record })),",
      to: "records: written.slice(1).map((record) => ({ type: 'record', ...record })).slice(1_000),",
    },
    'log-random#4 nodes',
  ),
  log(
    'estimates are not recorded',
    'journal',
    {
      from: "put('votes', number, new Writer().list(votes, writeVote).done())",
      to: "const plain = votes.map((vote) => (vote.type === 'bval' ? { ...vote, isEstimate: false } : vote))\n    put('votes', number, new Writer().list(plain, writeVote).done())",
    },
    'log-random#4 nodes',
  ),
  log(
    'initial is not recorded',
    'journal',
    {
      from: "put('votes', number, new Writer().list(votes, writeVote).done())",
      to: "const plain = votes.filter(({ type }) => type !== 'initial')\n    put('votes', number, new Writer().list(plain, writeVote).done())",
    },
    'log-random#4 nodes',
  ),
  log(
    'votes leave before their records',
    'log-party',
    {
      from: "this.#outputs.push(...said.records)\n    this.#send('all', said.message)",
      to: "this.#send('all', said.message)\n    this.#outputs.push(...said.records)",
    },
    'log-random#4 nodes',
  ),
  log(
    'bodies are not recorded with the echo',
    'journal',
    {
      from: "for (const { hash, body } of bodies) put('body', toHex(hash), body)",
      to: 'bodies.slice()',
    },
    'core/log/log-party.test.ts',
  ),
  log(
    'a slot is on disk before the own votes that led to it',
    'log-party',
    { from: '    this.#utter(round)\n    const { incarnation }', to: '    const { incarnation }' },
    'log-cost',
  ),
  log(
    'votes are forgotten before the slot is on disk',
    'log-party',
    {
      from: '    this.#executing = true\n',
      to: '    this.#executing = true\n    this.#outputs.push(...this.#votes.forgetBelow(slot.number))\n',
    },
    'core/log/log-party.test.ts',
  ),
  log(
    'forgetting a slot at its delivery',
    'log-party',
    {
      from: 'this.#previous = this.#current?.slot === slot.number ? this.#current : undefined',
      to: 'this.#previous = undefined\n    this.#votes.forgetBelow(slot.number + 1n)',
    },
    'log-random#4 nodes',
  ),
  log(
    'abstaining after a restart',
    'slot-round',
    {
      from: 'this.#count(this.#options.me, vote)\n    this.#resuming = false',
      to: 'this.#count(this.#options.me, vote)',
    },
    'log-faults#before each durable write',
  ),
]

const answers: readonly Mutant[] = [
  log(
    'no resend',
    'log-party',
    {
      from: "    this.#catchUp.askAgain()\n    this.#ask('all')",
      to: '    this.#catchUp.askAgain()',
    },
    'log-random#4 nodes',
  ),
  log(
    'votes of the slot before are not asked for again',
    'log-party',
    {
      from: 'if (previous?.isOver === false) this.#send',
      to: 'if (previous !== undefined && this.#next < 0n) this.#send',
    },
    'log-faults#until all its instances',
  ),
  log(
    'any message puts off the alarm of resend',
    'log-party',
    {
      from: 'if (round === this.#current) this.#isHeard = true',
      to: 'if (round === this.#current) this.#isHeard = true\n      this.#reminder.moved()',
    },
    'log-liars#go on talking',
  ),
  log(
    'echoing without the bodies',
    'slot-round',
    {
      from: '    const bodies = this.#bodiesOf(first)\n    if (bodies === undefined) return\n',
      to: '    for (const hash of first.lacking) this.#bodies.set(toHex(hash), hash)\n    this.#bodiesOf(first)\n',
    },
    'log-faults#withholds',
  ),
  log(
    'missing items are asked of nobody',
    'requests',
    { from: 'if (this.#asked.has(name)) continue', to: 'if (name !== undefined) continue' },
    'log-faults#give its items',
  ),
  log(
    'early votes count in whatever slot comes next',
    'early-votes',
    { from: 'one.slot === slot && one.life', to: 'one.slot <= slot && one.life' },
    'core/log/early-votes.test.ts',
  ),
  log(
    'copies wait until the node has something to say',
    'log-party',
    {
      from: 'if (this.#catchUp.hasCopies) this.#proceed()',
      to: 'if (this.#executing) this.#proceed()',
    },
    'log-faults#away',
    'log-random#4 nodes',
  ),
  log(
    'a late answer is blamed',
    'catch-up',
    {
      from: 'if (logged.slot.number < number) continue // An answer that came late.',
      to: 'isTrue &&= logged.slot.number >= number',
    },
    'log-random#4 nodes',
  ),
]

const pace: readonly Mutant[] = [
  log(
    'no wait after an empty slot',
    'pace',
    { from: 'if (this.#quietRow === 0 ||', to: 'if (this.#quietRow >= 0 ||' },
    'log-liars#idle',
  ),
  log(
    'items of others are never proposed',
    'pool',
    {
      from: '(stored) => node === this.#me || stored.slot',
      to: '(stored) => node === this.#me || 99n + stored.slot',
    },
    'log-faults#busy log',
  ),
  log(
    'the time of a slot is its latest clock',
    'slot-content',
    { from: 'sorted[Math.floor((sorted.length - 1) / 2)]', to: 'sorted[sorted.length - 1]' },
    'log-liars#clock',
  ),
  log(
    'the time of a slot may stand still',
    'slot-content',
    { from: 'addNs(before, 1n)', to: 'addNs(before, 0n)' },
    'core/log/slot-content.test.ts',
  ),
  log(
    'votes of any round are kept',
    'agreement',
    { from: 'vote.round > this.#round + ROUNDS_AHEAD_MAX &&', to: 'vote.round > 0xffff &&' },
    'log-liars#far rounds',
  ),
  log(
    'bodies of one proposal are kept without end',
    'slot-round',
    { from: '          one.size + body.length <= PROPOSED_BODIES_MAX &&\n', to: '' },
    'log-liars#without end',
  ),
  log(
    'items of one node are kept without end',
    'pool',
    {
      from: ': count <= STORED_ITEMS_MAX && size <= STORED_SIZE_MAX',
      to: ': count > 0',
    },
    'log-liars#without end',
  ),
  log(
    'votes of later slots are kept',
    'early-votes',
    {
      from: 'if (kept.votes.length < this.#perSenderMax) kept',
      to: 'if (kept.votes.length >= 0) kept',
    },
    'log-liars#far rounds',
  ),
]

export const logMutants: readonly Mutant[] = [
  ...quorums,
  ...agreement,
  ...records,
  ...answers,
  ...pace,
]
