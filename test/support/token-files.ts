/** Tokens beside ckBTC as their files have them. For tests only. */
import { textOfAccount } from '../../src/core/ic/account.ts'
import type { TokenSettings } from '../../src/core/subnet/settings.ts'
import { readToken } from '../../src/host/token-file.ts'
import { devUser } from '../../src/wallet/identity.ts'

/** Mints every token of these tests, unless told. */
export const tokenMinter = devUser(3)

export const tokenFile = (change: Readonly<Record<string, unknown>> = {}) => ({
  token_name: 'A token',
  token_symbol: 'XYZ',
  minting_account: textOfAccount({ owner: tokenMinter.principal }),
  transfer_fee: '10',
  ...change,
})

/** What is made of a file with these fields in place of the usual ones. */
export const tokenOf = (change: Readonly<Record<string, unknown>> = {}): TokenSettings =>
  readToken(tokenFile(change), 'the document')
