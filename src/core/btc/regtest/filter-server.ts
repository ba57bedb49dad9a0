/** Answers to questions for filters. Source: `docs/spec/bitcoin.md` §8.5, RN-20; BIP157. */
import type { BlockHash } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import { BASIC_FILTER } from '../compact-filter.ts'
import type { FilterMessage } from '../filter-message.ts'
import { CHECKPOINT_INTERVAL, FILTER_HEADERS_MAX, FILTERS_MAX } from '../filter-message.ts'
import type { FilterEntry, FilterIndex } from './filter-index.ts'
import { NO_FILTER_HEADER } from './filter-index.ts'

export type FilterQuestion = Extract<
  FilterMessage,
  { readonly type: 'getcfilters' | 'getcfheaders' | 'getcfcheckpt' }
>

export type FilterReply =
  | { readonly type: 'message'; readonly message: FilterMessage }
  /** Filters to be sent one by one. */
  | { readonly type: 'filters'; readonly blocks: readonly BlockHash[] }
  /** BIP157: a question that no honest peer puts ends the connection. */
  | { readonly type: 'refused'; readonly reason: string }

export function answerFilterQuestion(index: FilterIndex, question: FilterQuestion): FilterReply {
  if (question.filterType !== BASIC_FILTER) return refused(`filter type ${question.filterType}`)
  const { stop } = question
  const last = index.of(stop)
  if (last === undefined) return refused('a stop hash off the best chain')
  if (question.type === 'getcfcheckpt') {
    const count = Math.floor(last.height / CHECKPOINT_INTERVAL)
    const headers = Array.from(
      { length: count },
      (_, i) => entryAt(index, (i + 1) * CHECKPOINT_INTERVAL).header,
    )
    return reply({ type: 'cfcheckpt', filterType: BASIC_FILTER, stop, headers })
  }
  const { type, startHeight } = question
  const count = last.height - startHeight + 1
  const countMax = type === 'getcfilters' ? FILTERS_MAX : FILTER_HEADERS_MAX
  if (count < 1 || count > countMax) return refused(`${count} filters from height ${startHeight}`)
  const entries = Array.from({ length: count }, (_, i) => entryAt(index, startHeight + i))
  if (type === 'getcfilters') return { type: 'filters', blocks: entries.map(({ block }) => block) }
  const previous = startHeight === 0 ? NO_FILTER_HEADER : entryAt(index, startHeight - 1).header
  const hashes = entries.map(({ hash }) => hash)
  return reply({ type: 'cfheaders', filterType: BASIC_FILTER, stop, previous, hashes })
}

const refused = (reason: string): FilterReply => ({ type: 'refused', reason })
const reply = (message: FilterMessage): FilterReply => ({ type: 'message', message })

const entryAt = (index: FilterIndex, height: number): FilterEntry =>
  present(index.at(height), 'a height below the tip has its filter')
