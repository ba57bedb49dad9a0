/** A key as it is shown: texts, comparisons, addresses. Implements `docs/spec/cli.md` §5.11. */
import { attempt, BadEncoding, Problem, UsageInvalid } from '../../core/base/errors.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { principalOfText, textOfPrincipal } from '../../core/ic/principal.ts'
import { derivations } from '../deposit-address.ts'
import type { SecretKey } from '../identity.ts'
import { keyCurves } from '../identity.ts'
import type { Network } from '../network.ts'

/** Also the text of the principal's default account. */
export const principalText = (principal: Principal): string => textOfPrincipal(principal)

/** Whether it is the key that the user expects; `expected` is the text of a principal. */
export function requireExpected(key: SecretKey, expected: string | undefined): void {
  if (expected === undefined) return
  const wanted = attempt(() => principalOfText(expected))
  if (wanted instanceof BadEncoding)
    throw new UsageInvalid(`--expect-principal: ${wanted.message}`, {
      fix: 'give the principal as the other program shows it',
      command: 'ckbtc key import --help',
    })
  const found = textOfPrincipal(key.principal)
  if (found === textOfPrincipal(wanted)) return
  throw new Problem('CHECK_FAILED', `the key has the principal ${found}, not ${expected}`, {
    fix: `look at phrase or file and at --curve (${keyCurves.join(', ')}); nothing was saved`,
    details: { principal: found, expected },
  })
}

/** Deposit addresses of the default account where they follow from a key that is known here. */
export function knownAddresses(
  principal: Principal,
  networks: readonly Network[],
): readonly { readonly network: string; readonly address: string }[] {
  return networks.flatMap((network) => {
    // With several keys only the minter knows which of them it uses.
    const [only, ...others] = derivations(network, { owner: principal })
    return only === undefined || others.length > 0
      ? []
      : [{ network: network.name, address: only.address }]
  })
}
