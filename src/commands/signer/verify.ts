/** `ckbtc signer verify`. Implements `docs/spec/cli.md` §5.18. */
import { concat, fromHex } from '../../core/base/bytes.ts'
import { Problem } from '../../core/base/errors.ts'
import type { KeyScheme } from '../../core/base/key-scheme.ts'
import { verifySigned } from '../../core/base/key-scheme.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { printLocal } from '../local-network.ts'
import { requireHex, schemeOption, signedOption, taprootRootOption } from './arguments.ts'

const command = 'ckbtc signer verify'

/** Of BIP340 the key that the signer prints, or its x alone. */
const KEY_SIZES: Readonly<Record<KeyScheme, readonly number[]>> = {
  ecdsa: [33, 65],
  bip340: [33, 32],
  ed25519: [32],
}

export async function verify({ options }: Invocation, { terminal }: Context): Promise<void> {
  const scheme = schemeOption(options, command)
  const taprootRoot = taprootRootOption(options, scheme, command)
  const message = await signedOption(options, scheme, command)
  const signature = requireHex(options.text('signature'), {
    option: '--signature',
    sizes: [64],
    command,
  })
  const publicKey = requireHex(options.text('publicKey'), {
    option: '--public-key',
    sizes: KEY_SIZES[scheme],
    command,
  })
  const hash = scheme === 'ecdsa' ? message : undefined
  const claim = {
    publicKey: keyOf(scheme, fromHex(publicKey)),
    message: fromHex(message),
    signature: fromHex(signature),
    taprootRoot: taprootRoot === undefined ? undefined : fromHex(taprootRoot),
  }
  const signed = { scheme, hash, taprootRoot, signature, publicKey }
  // Of ECDSA both values of s are good: which one is written is a rule of Bitcoin, not of the scheme.
  if (!verifySigned(scheme, claim)) {
    const what = scheme === 'ecdsa' ? 'hash' : 'message'
    throw new Problem(
      'SIGNATURE_INVALID',
      `the signature is not one of this key over this ${what}`,
      { fix: `check ${what}, signature and public key`, details: signed },
    )
  }
  printLocal(terminal, {
    schema: 'signer-verify',
    data: { valid: true, ...signed },
    essential: 'valid',
    print: () => terminal.answer(`${terminal.paint.good('✓')} The signature is good.`),
  })
}

const keyOf = (scheme: KeyScheme, key: Uint8Array): Uint8Array =>
  scheme === 'bip340' && key.length === 32 ? concat(Uint8Array.of(2), key) : key
