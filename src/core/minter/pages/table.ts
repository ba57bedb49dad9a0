/** Tables of the dashboard, a page of rows at a time. Source: minter §20.3 [H 17]. */
import type { HttpUrl } from '../../ic/http-url.ts'
import type { Html } from './html.ts'
import { html } from './html.ts'

/** Rows of one table on one page. */
export const TABLE_ROWS = 100

export type Cell = string | number | bigint | Html

export type Table = {
  /** Names the section in links: letters and `_`. */
  readonly name: string
  readonly title: string
  readonly head: readonly string[]
  readonly total: number
  /** Rows `from` to before `to`. */
  readonly rows: (from: number, to: number) => readonly (readonly Cell[])[]
}

/** The parameter that says which row of a table is its first. */
export const startName = (table: Pick<Table, 'name'>): string => `${table.name}_start`

/** A section with its rows from `start` on, and the way to the others. */
export function section(table: Table, start: number, url: HttpUrl): Html {
  const { name, title, head, total } = table
  const from = Math.min(start, total)
  const to = Math.min(total, from + TABLE_ROWS)
  const count = total === 0 ? '' : html` <small>${total}</small>`
  if (total === 0) return html`<section id="${name}"><h2>${title}</h2><p>none</p></section>\n`
  return html`<section id="${name}"><h2>${title}${count}</h2>
<div><table><thead><tr>${head.map((cell) => html`<th>${cell}</th>`)}</tr></thead><tbody>
${table.rows(from, to).map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody></table></div>
${total > TABLE_ROWS || from > 0 ? pager(table, { from, to, url }) : ''}</section>\n`
}

function pager(
  table: Table,
  { from, to, url }: { readonly from: number; readonly to: number; readonly url: HttpUrl },
): Html {
  const link = (start: number, words: string): Html =>
    html`<a href="${hrefOf(table, start, url)}">${words}</a>`
  const earlier = from === 0 ? '' : link(Math.max(0, from - TABLE_ROWS), '← earlier rows')
  const later = to === table.total ? '' : link(to, 'more rows →')
  return html`<p class="pager">rows ${from + 1}–${to} of ${table.total} ${earlier} ${later}</p>`
}

/** The same page under the same gateway; other tables begin at their first rows again. */
function hrefOf(table: Table, start: number, { parameters }: HttpUrl): string {
  const canister = parameters.get('canisterId')
  const kept = canister === undefined ? '' : `canisterId=${encodeURIComponent(canister)}&`
  return `?${kept}${startName(table)}=${start}#${table.name}`
}
