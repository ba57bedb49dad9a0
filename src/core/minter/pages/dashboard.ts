/** `/dashboard`. Implements `docs/spec/minter.md` §20.3. */
import { BadEncoding } from '../../base/errors.ts'
import { formatBtc, NS_PER_SECOND } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { HttpUrl } from '../../ic/http-url.ts'
import { numberOf } from '../../ic/http-url.ts'
import { textOfPrincipal } from '../../ic/principal.ts'
import { addressText } from '../addresses.ts'
import type { Context } from '../context.ts'
import type { Mode } from '../types.ts'
import type { Info } from '../views/info.ts'
import { infoOf } from '../views/info.ts'
import { coinTables } from './coin-tables.ts'
import type { Html } from './html.ts'
import { html } from './html.ts'
import { totalManaged } from './metrics.ts'
import { section, startName } from './table.ts'
import { timeText } from './texts.ts'
import { withdrawalTables } from './withdrawal-tables.ts'

/** The whole page; `BadEncoding` for a first row that is no number. */
export function dashboardPage(context: Context, url: HttpUrl): string | BadEncoding {
  const sections: Html[] = []
  for (const table of [...withdrawalTables(context), ...coinTables(context)]) {
    const start = numberOf(url, startName(table), 0n)
    if (start instanceof BadEncoding) return start
    sections.push(section(table, Number(start), url))
  }
  const info = infoOf(context)
  const page = html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>ckBTC minter</title>
<meta name="viewport" content="width=device-width">
<style>${STYLE}</style></head><body>
<header><h1>ckBTC minter</h1><p>${textOfPrincipal(context.state.self)} · as of ${timeText(context.now)} UTC ·
 this page is one node's word</p></header>
${alerts(info)}${metadata(context)}${reserve(info)}${sections}</body></html>
`
  return page.toString()
}

function alerts({ alerts: found }: Info): Html {
  return html`${found.map(({ code, message }) => html`<p class="alert"><b>${code}</b> ${message}</p>\n`)}`
}

const btc = (amount: bigint): string => `${formatBtc(amount)} BTC`

function rows(pairs: readonly (readonly [string, string | number | bigint | Html])[]): Html {
  return html`<div><table class="pairs"><tbody>
${pairs.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>\n`)}</tbody></table></div>`
}

function metadata(context: Context): Html {
  const { state, volatile } = context
  const { config } = state
  const { network, ledgerId, checkerId, kytId, depositMinAmount = 0n, checkFee } = config
  const checker = checkerId ?? kytId
  const effectiveMin = depositMinAmount > checkFee ? depositMinAmount : checkFee + 1n
  const main =
    volatile.root === undefined
      ? 'the key is being made'
      : html`<code>${addressText(volatile.root.mainScript, network)}</code>
 <b>Do not send here: nobody is credited.</b>`
  return html`<section id="metadata"><h2>Metadata</h2>
${rows([
  ['network', network],
  ['main address', main],
  ['ECDSA key', config.ecdsaKeyName],
  ['mode', modeText(config.mode)],
  ['confirmations of a deposit', config.minConfirmations],
  ['ledger', textOfPrincipal(ledgerId)],
  ['checker', checker === undefined ? 'none' : textOfPrincipal(checker)],
  ['smallest deposit', btc(effectiveMin)],
  ['check fee', btc(checkFee)],
  ['smallest withdrawal, configured', btc(config.retrieveMinAmount)],
  ['smallest withdrawal at present fees', btc(volatile.fees.withdrawalMin)],
  ['median fee rate', volatile.fees.known ? `${volatile.fees.median} msat/vB` : 'not known yet'],
  ['time in the queue', `${config.maxTimeInQueueNs / NS_PER_SECOND} s`],
  ['total managed', btc(totalManaged(context))],
  ['events', context.log.count],
  ['inside update_balance', volatile.updating.size],
  ['inside withdrawals', volatile.retrieving.size],
])}</section>\n`
}

function modeText(mode: View<Mode>): string {
  const listed = (principals: readonly unknown[]): string => `${principals.length} principals`
  switch (mode.type) {
    case 'readOnly':
      return 'read only'
    case 'restrictedTo':
      return `restricted to ${listed(mode.principals)}`
    case 'depositsRestrictedTo':
      return `deposits restricted to ${listed(mode.principals)}`
    case 'generalAvailability':
      return 'everybody'
  }
}

/** §18.5, 11: every term in a line. */
function reserve({ reserve: equation, consolidation }: Info): Html {
  const collector: readonly (readonly [string, string])[] = [
    ['fee collector', consolidation.balance === undefined ? '?' : btc(consolidation.balance)],
    [
      'next consolidation',
      consolidation.expectedCost === undefined ? '?' : btc(consolidation.expectedCost),
    ],
  ]
  if (equation === undefined)
    return html`<section id="reserve"><h2>Reserve</h2>${rows(collector)}</section>\n`
  return html`<section id="reserve"><h2>Reserve</h2>
${rows([
  ['coins', btc(equation.coins)],
  ['tokens', btc(equation.supply)],
  ['to be paid out', btc(equation.pending)],
  ['to be given back', btc(equation.reimbursements)],
  ['given back or not, not known', btc(equation.quarantined)],
  ['mints in transit', btc(equation.mintsInTransit)],
  ['burns in transit', btc(equation.burnsInTransit)],
  ['surplus', btc(equation.surplus)],
  ['of it check fees', btc(equation.checkFees)],
  ['minter fees', btc(equation.minterFees)],
  ['charges for what was given back', btc(equation.reimbursementCharges)],
  ['amounts that were too low', btc(equation.amountsTooLow)],
  ['coins taken in', btc(equation.adopted)],
  ['coins written off', btc(-equation.writtenOff)],
  ['burned for consolidations', btc(equation.consolidationFees)],
  ['ledger fees', btc(equation.ledgerFees)],
  ['covered', equation.covered ? 'yes' : 'NO'],
  ['the terms make up the surplus', equation.balanced ? 'yes' : 'NO'],
  ...collector,
])}</section>\n`
}

/** Ours: nothing is loaded from anywhere. */
const STYLE = html`
:root{color-scheme:light dark;--line:#8884;--soft:#8882}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:1200px;padding:1.5rem}
header p,small{color:#888}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
small{font-weight:400;margin-left:.4em}
section>div{overflow-x:auto;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%}
th,td{padding:.35rem .7rem;text-align:left;vertical-align:top;white-space:nowrap}
thead th{background:var(--soft);font-size:.85em}
tr+tr>*,tbody tr:first-child>*{border-top:1px solid var(--line)}
td{font-variant-numeric:tabular-nums}
.pairs th{font-weight:500;width:18rem;color:#888}
code{font:.85em ui-monospace,monospace}
.alert{border-left:4px solid #d33;background:#d331;padding:.5rem .8rem;margin:.6rem 0}
.pager a{margin-left:.8em}

`
