/** Tokens beside ckBTC that tests found: minted by dev4, held by dev0. */
import { ckbtcConfig } from '../../src/core/ledger/config.ts'
import type { TokenSettings } from '../../src/core/subnet/settings.ts'
import { devUser } from '../../src/wallet/identity.ts'

const minter = devUser(4).principal
const profile = ckbtcConfig({ minter, archiveController: minter })

export function furtherTokenSettings(
  change: Partial<TokenSettings> & Pick<TokenSettings, 'tokenSymbol' | 'decimals'>,
  funds: bigint,
): TokenSettings {
  const { archiveOptions: _, indexPrincipal: __, limits: ___, ...token } = profile
  return {
    ...token,
    tokenName: `Token ${change.tokenSymbol}`,
    feeCollector: undefined,
    archiveOptions: {},
    initialBalances: [{ account: { owner: devUser(0).principal }, amount: funds }],
    ...change,
  }
}
