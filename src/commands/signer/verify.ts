/** `ckbtc signer verify`. Implements `docs/spec/cli.md` §5.18. */
import { fromHex } from '../../core/base/bytes.ts'
import { Problem } from '../../core/base/errors.ts'
import { verifyEcdsa } from '../../core/base/verification.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { printLocal } from '../local-network.ts'
import { requireEcdsa, requireHex } from './arguments.ts'

const command = 'ckbtc signer verify'

export async function verify({ options }: Invocation, { terminal }: Context): Promise<void> {
  requireEcdsa(options, command)
  const hash = requireHex(options.text('hash'), { option: '--hash', sizes: [32], command })
  const signature = requireHex(options.text('signature'), {
    option: '--signature',
    sizes: [64],
    command,
  })
  const publicKey = requireHex(options.text('publicKey'), {
    option: '--public-key',
    sizes: [33, 65],
    command,
  })
  const claim = {
    publicKey: fromHex(publicKey),
    digest: fromHex(hash),
    signature: fromHex(signature),
  }
  // Both values of s are good: which one is written is a rule of Bitcoin, not of the scheme.
  if (!verifyEcdsa(claim, { lowS: false }))
    throw new Problem('SIGNATURE_INVALID', 'the signature is not one of this key over this hash', {
      fix: 'check hash, signature and public key',
      details: { hash, signature, publicKey },
    })
  printLocal(terminal, {
    schema: 'signer-verify',
    data: { valid: true, scheme: 'ecdsa', hash, signature, publicKey },
    essential: 'valid',
    print: () => terminal.answer(`${terminal.paint.good('✓')} The signature is good.`),
  })
}
