/** `ckbtc info`: parameters, versions, ids. Implements `docs/spec/cli.md` §5.14. */
import { printAnswer } from '../terminal/answer.ts'
import { printPairs } from '../terminal/table.ts'
import type { Info, Inside } from '../wallet/info.ts'
import { readInfo, readTokenInfo } from '../wallet/info.ts'
import { smallText, tokenDocument, tokenText } from '../wallet/token.ts'
import type { Context } from './context.ts'
import type { Invocation } from './definitions/command.ts'
import { coins, sats } from './money-words.ts'
import type { Session } from './session.ts'
import { openSession } from './session.ts'

export async function info(
  _: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const session = await open(context)
  const { client, network, symbols } = session
  if (session.token.isFurther) return tokenInfo(session, context)
  const found = await readInfo(client)
  const { terminal } = context
  printAnswer(terminal, {
    schema: 'info',
    network: network.name,
    data: found,
    warnings: session.warnings,
    essential: coins(found.supplySat, symbols.token),
    print: () => {
      printPairs(terminal, pairsOf(network.name, found, symbols.token))
      for (const { message } of found.inside?.alerts ?? []) terminal.note(`ckbtc: note: ${message}`)
    },
  })
}

/** Of a further token: there is no minter of ours, and no bitcoin. */
async function tokenInfo(
  { client, network, token, warnings }: Session,
  { terminal }: Context,
): Promise<void> {
  const found = await readTokenInfo(client)
  const { name, canisters, mintingAccount, ledgerFeeSat, supplySat } = found
  printAnswer(terminal, {
    schema: 'info',
    network: network.name,
    data: tokenDocument(token, { url: network.url, ...found }),
    warnings,
    essential: tokenText(supplySat, token),
    print: () =>
      printPairs(terminal, [
        ['Network', network.name],
        ['Endpoint', network.url],
        ...canisters.map(canisterPair),
        ['Token', `${name}, ${token.symbol}, ${token.decimals} decimals`],
        ['Minting account', mintingAccount ?? UNKNOWN],
        ['Fee', smallText(ledgerFeeSat, token)],
        ['Supply', tokenText(supplySat, token)],
      ]),
  })
}

const UNKNOWN = 'not known'

function canisterPair({
  name,
  id,
  moduleHash,
}: Info['canisters'][number]): readonly [string, string] {
  const version = moduleHash === undefined ? '' : `   module ${moduleHash.slice(0, 16)}…`
  return [capital(name), id + version]
}

const pairsOf = (
  name: string,
  found: Info,
  symbol: string,
): readonly (readonly [string, string])[] => [
  ['Network', `${name}, Bitcoin ${found.bitcoin}`],
  ['Endpoint', found.url],
  ['Root key', `${found.rootKeyOrigin}, …${found.rootKey.slice(-16)}`],
  ...found.canisters.map(canisterPair),
  ['Minter mode', found.mode ?? UNKNOWN],
  ['Public key', found.minterPublicKey ?? UNKNOWN],
  ['Main address', found.minterAddress ?? UNKNOWN],
  ['Confirmations', String(found.confirmations)],
  ['Deposit', `check ${sats(found.checkFeeSat)}, minimum ${sats(found.depositMinimumSat)}`],
  ['Redeem', `minimum ${sats(found.redeemMinimumSat)}`],
  [
    'Token',
    `${found.token.symbol}, ${found.token.decimals} decimals, fee ${sats(found.ledgerFeeSat)}`,
  ],
  ['Supply', coins(found.supplySat, symbol)],
  ['Bitcoin tip', found.bitcoinTip === undefined ? UNKNOWN : `height ${found.bitcoinTip}`],
  ...(found.inside === undefined ? [] : insidePairs(found.inside)),
]

function insidePairs(inside: Inside): readonly (readonly [string, string])[] {
  const { counts, availableSat, surplusSat, feeCollectorSat, consolidationCostSat } = inside
  const { queued, held, signing, submitted, stuck, toReimburse, finalized } = counts
  const open = [
    `${queued} queued`,
    ...(held > 0 ? [`${held} of them held for lower fees`] : []),
    `${signing} being signed`,
    `${submitted} sent`,
    ...(stuck > 0 ? [`${stuck} replaced`] : []),
    ...(toReimburse > 0 ? [`${toReimburse} to be given back`] : []),
    `${finalized} paid`,
  ]
  const cost = consolidationCostSat === undefined ? UNKNOWN : sats(consolidationCostSat)
  return [
    ['Redemptions', open.join(', ')],
    ['Coins', `${counts.available} available, ${sats(availableSat)}`],
    ['Surplus', surplusSat === undefined ? UNKNOWN : sats(surplusSat)],
    [
      'Fee collector',
      `${feeCollectorSat === undefined ? UNKNOWN : sats(feeCollectorSat)}, a consolidation costs ${cost}`,
    ],
    ['Events', String(counts.events)],
  ]
}

const capital = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1)
