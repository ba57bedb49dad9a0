/**
 * Temporary unlock: a short-lived delegation for ledger and minter of one network, in place of the
 * key. Implements `docs/spec/cli.md` §3.13, `docs/spec/ic-interface.md` §7.
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { equalBytes, fromUtf8, toHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, UsageInvalid } from '../../core/base/errors.ts'
import { bigCount, exactly, hexBytes, list, object, parseJson, text } from '../../core/base/json.ts'
import { NS_PER_MS, TIMESTAMP_MAX, timestampNs } from '../../core/base/units.ts'
import { nobleEd25519 } from '../../core/base/verification.ts'
import type { Delegation, SignedDelegation } from '../../core/ic/envelope.ts'
import { delegationMessage } from '../../core/ic/envelope.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { selfAuthenticating, textOfPrincipal } from '../../core/ic/principal.ts'
import { decodePublicKey, verifyRequestSignature } from '../../core/ic/public-key.ts'
import type { User } from '../identity.ts'
import { SECRET_SIZE, SecretKey } from '../identity.ts'
import type { Network } from '../network.ts'
import { makePrivateFolder, readBounded, systemCode, writePrivate } from '../private-files.ts'

const VERSION = 1
const BYTES_MAX = 8_192
/** A day: who wants more wants a key without a passphrase. */
export const UNLOCK_MS_MAX = 86_400_000
/** A request lives up to five minutes, and its answer is asked for with the same delegation. */
const REST_MS = 300_000

/** What the network is known by here: its name, and the canisters that the delegation names. */
type Place = Pick<Network, 'name' | 'ids'>

export type UnlockedPorts = {
  /** Gone at the end of the session, where the system has such a place: `<runtime>`. */
  readonly folder: string
  readonly nowMs: () => number
  readonly entropy: (size: number) => Uint8Array
}

const document = object({
  version: exactly(VERSION),
  key: text,
  network: text,
  public_key: hexBytes,
  session_secret: hexBytes,
  expires_at_ns: bigCount,
  targets: list(text, 2),
  signature: hexBytes,
})

export class Unlocked {
  readonly #ports: UnlockedPorts
  readonly #folder: string

  constructor(ports: UnlockedPorts) {
    this.#ports = ports
    this.#folder = join(ports.folder, 'unlocked')
  }

  /** Lets `key` sign for this network without its passphrase. Returns when that ends, in ms. */
  add(name: string, key: SecretKey, { network, forMs }: { network: Place; forMs: number }): number {
    if (forMs <= 0 || forMs > UNLOCK_MS_MAX)
      throw new UsageInvalid('a key is unlocked for 24 hours at most', {
        fix: 'name another time, as in --for 15m',
        command: 'ckbtc key unlock --help',
      })
    const session = new SecretKey('ed25519', this.#ports.entropy(SECRET_SIZE))
    const endMs = this.#ports.nowMs() + forMs
    const delegation = delegationOf(network, session, BigInt(endMs + REST_MS) * NS_PER_MS)
    const content = {
      version: VERSION,
      key: name,
      network: network.name,
      public_key: toHex(key.publicKeyDer),
      session_secret: toHex(session.reveal()),
      expires_at_ns: String(delegation.expiration),
      targets: targetsOf(network).map(textOfPrincipal),
      signature: toHex(key.sign(delegationMessage(delegation))),
    }
    makePrivateFolder(this.#folder)
    writePrivate(this.#path(name, network), `${JSON.stringify(content, undefined, 2)}\n`)
    return endMs
  }

  /**
   * Who signs for `principal` on this network; nobody where nothing was unlocked, or what was
   * unlocked has ended, is damaged, or is of another key or other canisters. That is removed.
   */
  find(name: string, principal: Principal, network: Place): User | undefined {
    const path = this.#path(name, network)
    const found = attempt(() => {
      const bytes = readBounded(path, BYTES_MAX)
      return bytes === undefined ? undefined : this.#userOf(fromUtf8(bytes), principal, network)
    })
    if (!(found instanceof BadEncoding)) return found
    rmSync(path, { force: true })
    return undefined
  }

  /** Ends what was unlocked, of one key or of all; how many there were. */
  drop(name?: string): number {
    const files = this.#files().filter((file) => name === undefined || file.startsWith(`${name}@`))
    for (const file of files) rmSync(join(this.#folder, file), { force: true })
    return files.length
  }

  #userOf(source: string, principal: Principal, network: Place): User {
    const read = parseJson(source, document)
    const session = new SecretKey('ed25519', read.session_secret)
    if (read.expires_at_ns > TIMESTAMP_MAX) throw new BadEncoding('it ends at no time')
    const delegation = delegationOf(network, session, read.expires_at_ns)
    const restMs = read.expires_at_ns / NS_PER_MS - BigInt(this.#ports.nowMs())
    if (restMs <= REST_MS) throw new BadEncoding('it has ended')
    const signed = { delegation, signature: read.signature }
    requireSigned(signed, read.public_key, principal)
    return {
      principal,
      publicKeyDer: session.publicKeyDer,
      sign: session.sign,
      chain: { rootKeyDer: read.public_key, delegations: [signed] },
    }
  }

  #files(): readonly string[] {
    try {
      return readdirSync(this.#folder).filter((file) => file.endsWith('.json'))
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return []
      throw error
    }
  }

  #path(name: string, network: Place): string {
    return join(this.#folder, `${name}@${network.name}.json`)
  }
}

const targetsOf = ({ ids }: Place): readonly Principal[] => [ids.ledger, ids.minter]

/** Of the network as it is now: with other canisters the signature does not fit any more. */
const delegationOf = (network: Place, session: SecretKey, expiration: bigint): Delegation => ({
  pubkey: session.publicKeyDer,
  expiration: timestampNs(expiration),
  targets: targetsOf(network),
})

function requireSigned(
  { delegation, signature }: SignedDelegation,
  publicKeyDer: Uint8Array,
  principal: Principal,
): void {
  if (!equalBytes(selfAuthenticating(publicKeyDer), principal))
    throw new BadEncoding('it is of another key')
  const publicKey = decodePublicKey(publicKeyDer)
  const message = delegationMessage(delegation)
  if (!verifyRequestSignature({ publicKey, message, signature }, nobleEd25519))
    throw new BadEncoding('the key has not signed it')
}
