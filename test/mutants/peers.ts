/** Mutants of the adapter's peers: offences and bans, download of blocks, discovery. */
import type { Mutant } from './mutant.ts'

const adapter = 'core/btc/adapter.test.ts'
const misbehaviour = 'core/btc/misbehaviour.test.ts'
const download = 'core/btc/block-download.test.ts'
const discovery = 'core/btc/adapter-discovery.test.ts'
const book = 'core/btc/address-book.test.ts'

const at = (file: string): string => `btc/${file}.ts`

export const peerMutants: readonly Mutant[] = [
  {
    name: 'an oversized message bans nobody',
    file: at('peer-bans'),
    from: '  oversize: BAN_MS,',
    to: '  oversize: 0,',
    tests: [misbehaviour],
  },
  {
    name: 'three banned hosts leave their group alone',
    file: at('peer-bans'),
    from: '?.[GROUP_BANS - 1]',
    to: '?.[GROUP_BANS]',
    tests: [misbehaviour],
  },
  {
    name: 'peers that the user named are banned',
    file: at('adapter-links'),
    from: "link.role !== 'named' && !isLoopback(host)",
    to: '!isLoopback(host)',
    tests: [misbehaviour],
  },
  {
    name: 'strikes are never forgotten',
    file: at('peer-session'),
    from: 'nowMs - at < STRIKE_WINDOW_MS',
    to: 'nowMs - at < Number.POSITIVE_INFINITY',
    tests: [adapter],
  },
  {
    name: 'a withheld block is asked of nobody else',
    file: at('block-download'),
    from: '    if (dueMs <= nowMs) ask(wanted)\n    else this',
    to: '    if (dueMs > nowMs) this',
    tests: [download, adapter],
  },
  {
    name: 'blocks that nobody takes do not count',
    file: at('block-download'),
    from: 'bytes += delivered.bytes',
    to: 'bytes += 0',
    tests: [download],
  },
  {
    name: 'a late peer is never late twice',
    file: at('block-download'),
    from: 'this.#misses.set(peer, this.#missesOf(peer) + 1)',
    to: 'this.#misses.set(peer, 1)',
    tests: [download],
  },
  {
    name: 'the peer that holds up a window stays',
    file: at('block-download'),
    from: 'stall.dueMs > nowMs',
    to: 'stall.dueMs >= nowMs',
    tests: [download],
  },
  {
    name: "a peer's addresses displace those of others",
    file: at('address-book'),
    from: 'entry.source === source && entry.successMs === 0',
    to: 'entry.successMs === 0',
    tests: [book],
  },
  {
    name: 'a peer may tell any number of addresses',
    file: at('address-rate'),
    from: 'Math.min(count, Math.floor(tokens))',
    to: 'count',
    tests: [book],
  },
  {
    name: 'a stored address may be any',
    file: at('address-book-file'),
    from: 'host !== canonicalHost(host) || !isRoutable(host) || port === 0',
    to: 'port === 0',
    tests: [book],
  },
  {
    name: 'a book of dead addresses keeps seeds from being asked',
    file: at('adapter-discovery'),
    from: '    if (this.#isStale) this.#search()\n',
    to: '',
    tests: [discovery],
  },
  {
    name: 'whoever has failed may still be hoped for',
    file: at('adapter-discovery'),
    from: '!hasFailed(entry) && isFree(entry)',
    to: 'isFree(entry)',
    tests: [discovery],
  },
  {
    name: 'a banned host is called',
    file: at('adapter-discovery'),
    from: ' && !isBanned(host)',
    to: '',
    tests: [misbehaviour],
  },
  {
    name: 'two peers of one group',
    file: at('adapter-discovery'),
    from: '!groups.has(networkGroup(host))',
    to: 'true',
    tests: [discovery],
  },
  {
    name: 'transactions are told to peers of blocks',
    file: at('adapter-relay'),
    from: "links.ready.filter(({ role }) => role !== 'blocks' && role !== 'seed')",
    to: "links.ready.filter(({ role }) => role !== 'seed')",
    tests: [discovery],
  },
  {
    name: 'a peer of one day ago is never replaced',
    file: at('adapter-discovery'),
    from: 'behind <= LIMITED_BLOCKS',
    to: 'behind <= Number.POSITIVE_INFINITY',
    tests: [discovery],
  },
  {
    name: 'services may be written longer than needed',
    file: at('address-message'),
    from: 'value < least',
    to: 'value < 0n',
    tests: [book],
  },
]
