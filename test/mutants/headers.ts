/** Mutants of the rules of headers, and of what is done against headers without work. */
import type { Mutant } from './mutant.ts'

const presync = 'core/btc/header-presync.test.ts'
const sync = 'core/btc/header-sync.test.ts'
const race = 'core/btc/header-race.test.ts'
const bits = 'core/btc/required-bits.test.ts'
const tree = 'core/btc/header-tree.test.ts'

const at = (file: string): string => `btc/${file}.ts`

export const headerMutants: readonly Mutant[] = [
  {
    name: 'the second pass is not held to the bits of the first',
    file: at('header-presync'),
    from: 'this.#bits.at(this.#bitsSeen) !== this.#bitOf(hashed.hash)',
    to: 'false',
    tests: [`${presync}#another chain`],
  },
  {
    name: 'headers are handed on without bits above them',
    file: at('header-presync'),
    from: 'this.#take(this.#bufferMax)',
    to: 'this.#take(0)',
    tests: [`${presync}#newest headers`],
  },
  {
    name: 'a chain is read without its work',
    file: at('header-presync'),
    from: 'target === undefined || !hashMeetsTarget(hash, target)',
    to: 'target === undefined',
    tests: [`${presync}#has work`],
  },
  {
    name: 'the bits of a chain have no end',
    file: at('header-presync'),
    from: 'this.#bits.length >= this.#bitsMax',
    to: 'false',
    tests: [`${presync}#there was time for`],
  },
  {
    name: 'a chain whose times are all ahead is read on',
    file: at('header-presync'),
    from: "    if (header.time > nowSeconds + FUTURE_MAX_S) return { type: 'early', time: header.time }\n",
    to: '',
    tests: [`${presync}#future`, `${sync}#first pass`],
  },
  {
    name: 'work counts that is claimed and not done',
    file: at('header-sync'),
    from: 'target === undefined || !hashMeetsTarget(hash, target)',
    to: 'target === undefined',
    tests: [`${sync}#claims work`],
  },
  {
    name: 'a branch is kept whatever its work',
    file: at('header-sync'),
    from: "work >= threshold ? 'enough' : 'too little'",
    to: "'enough'",
    tests: [sync],
  },
  {
    name: 'a side branch is asked for from the best header',
    file: at('header-sync'),
    from: 'this.#from = isAside ? node.hash : undefined',
    to: 'this.#from = undefined',
    tests: [`${sync}#side branch`],
  },
  {
    name: 'news of the tip are asked for while a chain is read',
    file: at('header-sync'),
    from: 'if (this.#presync !== undefined && this.#askedUntilMs !== undefined) return NOTHING',
    to: '',
    tests: [`${sync}#news of the tip`],
  },
  {
    name: 'a peer that stands still is asked on',
    file: at('header-race'),
    from: 'Math.min(movedMs + STALLED_MS, startedMs + TURN_MS)',
    to: 'startedMs + TURN_MS',
    tests: [race],
  },
  {
    name: "a long chain is compared with nobody's",
    file: at('header-race'),
    from: 'progress - runner.comparedAt < COMPARE_HEADERS',
    to: 'true',
    tests: [`${race}#twenty thousand`],
  },
  {
    name: 'the span of a period is unsigned',
    file: at('header'),
    from: 'last.time - first.time,',
    to: '(last.time - first.time) >>> 0,',
    tests: [`${bits}#3229631`],
  },
  {
    name: 'testnet4 scales the last block of a period',
    file: at('header'),
    from: "network.retarget === 'firstBlock' ? first.bits : last.bits",
    to: 'last.bits',
    tests: [`${bits}#30240`],
  },
  {
    name: 'a header may be as old as the median',
    file: at('header'),
    from: 'header.time <= parentMedianTime(context)',
    to: 'header.time < parentMedianTime(context)',
    tests: [`${tree}#equal to the median`],
  },
  {
    name: 'bits may change by any factor',
    file: at('header'),
    from: ' && shortest <= target && target <= longest',
    to: '',
    tests: [`${presync}#factor of four`],
  },
  {
    name: 'of equal work the first received is kept',
    file: at('header-tree'),
    from: '(a.key < b.key ? -1 : 1)',
    to: '0',
    tests: [`${tree}#equal work`],
  },
]
