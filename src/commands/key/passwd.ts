/** `ckbtc key passwd`. Implements `docs/spec/cli.md` §§3.13, 5.11. */
import type { KeyMaterial } from '../../wallet/keys/key-file.ts'
import { openWithPassphrase } from '../../wallet/keys/passphrase.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import type { KeyPorts } from '../key-ports.ts'
import { keyPorts } from '../key-ports.ts'
import { permissionWarnings, unlockedOf } from '../keys.ts'
import type { KeySession } from './session.ts'
import { answerKey, newPassphrase, openSession } from './session.ts'

export async function keyPasswd(
  { args: [name = ''], options }: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const session = await openSession(context, ports)
  const material = await openMaterial(session, name)
  // The sources of the old passphrase do not give the new one.
  const sources = { ...session.sources, file: options.text('newPassphraseFile'), environment: {} }
  const none = !options.isOn('passphrase')
  const passphrase = await newPassphrase(session, sources, {
    none,
    name,
    flag: '--new-passphrase-file',
  })
  const entry = await session.store.changePassphrase(name, material, passphrase)
  unlockedOf(context, ports).drop(name)
  const warnings = permissionWarnings(session.store, name)
  answerKey(session, { schema: 'key-passwd', entry, warnings })
}

/** What a key file guards. A locked one asks for its passphrase. */
export async function openMaterial(
  { store, sources }: Pick<KeySession, 'store' | 'sources'>,
  name: string,
): Promise<KeyMaterial> {
  if (store.entry(name).protection === 'plaintext') return store.open(name, undefined)
  return openWithPassphrase(sources, { name, question: `Passphrase of ${name}` }, (passphrase) =>
    store.open(name, passphrase),
  )
}
