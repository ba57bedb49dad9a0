/** Mutants of the minter's pages and views, and of what is read of a URL. */
import type { Mutant } from './mutant.ts'

const http = 'core/minter/http-request.test.ts'
const views = 'core/minter/views.test.ts'
const json = 'core/minter/event-json.test.ts'
const observed = 'core/minter/observed.test.ts'
const log = 'core/minter/event-log.test.ts'
const gateway = 'host/ic/canister-pages.test.ts'

const at = (file: string): string => `minter/${file}.ts`

export const pageMutants: readonly Mutant[] = [
  {
    name: 'a tag in a text is a tag on the page',
    file: at('pages/html'),
    from: "  '<': '&lt;',",
    to: "  '<': '<',",
    tests: [`${http}#escaped wherever`],
  },
  {
    name: 'a quote in a text is a quote on the page',
    file: at('pages/html'),
    from: `  "'": '&#39;',`,
    to: `  "'": "'",`,
    tests: [`${http}#escaped wherever`],
  },
  {
    name: 'JSON may hold a tag',
    file: at('pages/json'),
    from: '/[<>&\\u007f-\\uffff]/g',
    to: '/[\\u007f-\\uffff]/g',
    tests: [`${http}#no markup in JSON`],
  },
  {
    name: 'the later of two parameters counts',
    file: 'ic/http-url.ts',
    from: "if (parameters.has(name)) throw new BadEncoding('a parameter is given twice')",
    to: '',
    tests: [`${http}#given twice`, `${gateway}#given twice`],
  },
  {
    name: 'a number of 65 bits is read',
    file: 'ic/http-url.ts',
    from: 'number === undefined || number >= 2n ** 64n',
    to: 'number === undefined',
    tests: [`${http}#65 bits`],
  },
  {
    name: 'answers to `/events` have no end',
    file: at('pages/exports'),
    from: 'if (size > EVENTS_BYTES_MAX && lines.length > 0) break',
    to: '',
    tests: [`${http}#two million bytes`],
  },
  {
    name: 'a replacement is not told of the withdrawal that it pays',
    file: at('events/history'),
    from: 'paid.set(keyOfTxid(payload.newTxid), burns)\n      return burns',
    to: 'paid.set(keyOfTxid(payload.newTxid), burns)\n      return []',
    tests: [`${views}#that was replaced`],
  },
  {
    name: 'a copy of a log shares its index',
    file: at('events/history'),
    from: 'burns: copyOfLists(burns),',
    to: 'burns: burns as Map<BurnIndex, number[]>,',
    tests: [`${log}#its own way`],
  },
  {
    name: 'deposits are shown less the check fee of today',
    file: at('events/history'),
    from: 'checkFees.findLast(({ from }) => from <= position)',
    to: 'checkFees.at(-1)',
    tests: [`${views}#fee of its day`],
  },
  {
    name: 'pages of deposits begin again with what is minted',
    file: at('views/deposits'),
    from: 'Math.max(0, at - open.length)',
    to: 'at',
    tests: [`${views}#page to page`],
  },
  {
    name: 'a txid is read whatever its twin says',
    file: at('events/event-json'),
    from: 'if (!(shown instanceof Uint8Array) || !equalBytes(shown, bytesOf(cbor))) return unfit()',
    to: 'if (!(shown instanceof Uint8Array)) return unfit()',
    tests: [`${json}#twin of another`],
  },
  {
    name: 'the log for people grows without end',
    file: at('observed'),
    from: 'if (entries.length > LOG_ENTRIES_MAX) entries.shift()',
    to: '',
    tests: [`${observed}#keeps the newest`],
  },
]
