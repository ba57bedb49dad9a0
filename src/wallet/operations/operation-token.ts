/**
 * Of which token an operation is, and which ledger alone may ever hear of it. Nothing in the journal
 * means the network's own token. Implements cli §§3.1, 3.11.
 */
import type { Denomination } from '../../core/base/amounts.ts'
import { equalBytes } from '../../core/base/bytes.ts'
import { assert, attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { principalOfText, textOfPrincipal } from '../../core/ic/principal.ts'
import type { Client } from '../client.ts'
import type { Network } from '../network.ts'
import type { Token } from '../token.ts'
import { inUnits, tokenOf, tokenOfLedger, tokensOf } from '../token.ts'
import type { Facts, Operation } from './operation.ts'
import { bigintFact, textFact } from './operation.ts'

/** What the journal says of the token. A program that knows one token only finds no amount there. */
export function tokenFacts(token: Token): Facts {
  if (!token.isFurther) return {}
  const { symbol, decimals, ledger } = token
  return { token: symbol, tokenDecimals: decimals, tokenLedger: textOfPrincipal(ledger) }
}

/** Amounts as the journal has them: `amountSat`, of a further token `amountUnits`. */
export const amountFacts = (token: Token, amounts: Facts): Facts => inUnits(token, amounts) as Facts

/** An amount by its name without the unit: `amount`, `fee`. */
export const amountFact = (operation: Pick<Operation, 'facts'>, name: string): bigint | undefined =>
  bigintFact(operation, `${name}${isFurther(operation) ? 'Units' : 'Sat'}`)

const isFurther = (operation: Pick<Operation, 'facts'>): boolean =>
  textFact(operation, 'tokenLedger') !== undefined

export const isSameToken = (
  one: Pick<Operation, 'facts'>,
  other: Pick<Operation, 'facts'>,
): boolean => textFact(one, 'tokenLedger') === textFact(other, 'tokenLedger')

/** How its amounts are written; undefined of the network's own token. */
export function denominationOf(operation: Pick<Operation, 'facts'>): Denomination | undefined {
  const symbol = textFact(operation, 'token')
  const { tokenDecimals: decimals } = operation.facts
  if (!isFurther(operation) || symbol === undefined || typeof decimals !== 'number')
    return undefined
  return Number.isInteger(decimals) && decimals >= 0 && decimals <= 255
    ? { symbol, decimals }
    : undefined
}

function ledgerFact(operation: Operation): Principal | undefined {
  const text = textFact(operation, 'tokenLedger')
  const ledger = text === undefined ? undefined : attempt(() => principalOfText(text))
  return ledger instanceof BadEncoding ? undefined : ledger
}

/** The token of an operation. Throws `RAIL_CANISTER_MISMATCH` where the network does not have it. */
export function tokenOfOperation(network: Network, operation: Operation): Token {
  const ledger = ledgerFact(operation)
  const found = isFurther(operation)
    ? ledger && tokenOfLedger(network, ledger)
    : tokensOf(network)[0]
  const denomination = denominationOf(operation)
  const isAsItWas =
    found !== undefined &&
    (!found.isFurther ||
      (found.symbol === denomination?.symbol && found.decimals === denomination.decimals))
  if (isAsItWas) return found
  const { id } = operation
  const symbol = textFact(operation, 'token') ?? 'another token'
  throw new Problem(
    'RAIL_CANISTER_MISMATCH',
    `${id} is about ${symbol}, whose ledger ${network.name} does not have`,
    {
      fix: 'nothing was sent; start the subnet that has this token, or leave the operation as it is',
      command: 'ckbtc subnet status',
      details: { op: id, ledger: textFact(operation, 'tokenLedger') },
    },
  )
}

/** Whoever works on an operation speaks to its ledger, whatever token was opened. */
export const inItsToken = <T extends { readonly client: Client }>(
  operating: T,
  operation: Operation,
): T => ({
  ...operating,
  client: operating.client.withToken(tokenOfOperation(operating.client.network, operation)),
})

/** The last look before a call leaves: one ledger never hears what was meant for another. */
export function assertItsLedger({ network }: Pick<Client, 'network'>, operation: Operation): void {
  const token = tokenOf(network)
  const ledger = isFurther(operation) ? ledgerFact(operation) : tokensOf(network)[0]?.ledger
  const isIts = ledger !== undefined && equalBytes(ledger, token.ledger)
  assert(isIts, `${operation.id} goes to its own ledger`)
}
