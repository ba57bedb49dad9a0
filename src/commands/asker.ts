/**
 * Who asks the minter to look at a deposit: it answers anybody but the anonymous principal, and what
 * it mints goes to the owner alone, so no key of the user is unlocked for it. Implements cli §3.10.
 */
import { randomBytes } from 'node:crypto'
import type { Client } from '../wallet/client.ts'
import { devUser, SECRET_SIZE, userOfSecret } from '../wallet/identity.ts'

/** On the local subnet a test key, elsewhere one that nobody has had before or will have again. */
export const askingClient = (client: Client): Client =>
  client.signedBy(
    client.network.kind === 'local'
      ? devUser(0)
      : userOfSecret(new Uint8Array(randomBytes(SECRET_SIZE))),
  )
