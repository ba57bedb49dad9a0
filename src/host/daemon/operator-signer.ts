/**
 * Signatures for the operator, under a key that no coin of the minter is under. Implements
 * `docs/spec/cli.md` §5.18, threshold §17.1.
 */
import { fromHex, toHex } from '../../core/base/bytes.ts'
import { masterKey } from '../../core/base/derivation.ts'
import { Bug, Problem } from '../../core/base/errors.ts'
import type { KeyScheme } from '../../core/base/key-scheme.ts'
import { deriveKey, verifySigned } from '../../core/base/key-scheme.ts'
import { agreementQuorum, faultyMax, reconstructionThreshold } from '../../core/base/party.ts'
import { decodePublicKey } from '../../core/ic/public-key.ts'
import { pathOf } from '../../core/minter/addresses.ts'
import type { OperatorRequest } from '../../core/subnet/operator-requests.ts'
import {
  encodeOperatorRefresh,
  encodeOperatorRequest,
  OPERATOR_KEY,
  operatorContent,
  operatorRefreshContent,
  operatorRequestId,
} from '../../core/subnet/operator-requests.ts'
import type { ReplyOf, RequestOf } from '../control/protocol.ts'
import { readAccount } from '../control/protocol.ts'
import { entropy } from '../entropy.ts'
import type { Running } from './running.ts'

const NONCE_SIZE = 16
const LOOK_MS = 1_000
/** Making a key of forty nodes takes longest. */
const WAIT_MS_MAX = 90_000

type Path = readonly Uint8Array[]

export class OperatorSigner {
  readonly #running: Pick<Running, 'local' | 'operator' | 'descriptor' | 'settings'>

  constructor(running: Pick<Running, 'local' | 'operator' | 'descriptor' | 'settings'>) {
    this.#running = running
  }

  info(): ReplyOf<'signer-info'> {
    const { local, settings, descriptor } = this.#running
    const { nodes } = settings
    return {
      nodes,
      nodesUp: local.subnet.up.map((node) => node + 1),
      tolerates: faultyMax(nodes),
      sharesToSign: reconstructionThreshold(nodes),
      nodesToProgress: agreementQuorum(nodes),
      presignatures: local.stock,
      keyVersion: local.keyVersion,
      refresh: local.refreshStage,
      margin: this.#margin,
      minterKey: { keyId: local.mainKeyName, publicKey: toHex(descriptor.masterPublicKey) },
      operatorKeys: {
        ecdsa: { keyId: OPERATOR_KEY, publicKey: local.operatorKey('ecdsa') },
        bip340: { keyId: OPERATOR_KEY, publicKey: local.operatorKey('bip340') },
        ed25519: { keyId: OPERATOR_KEY, publicKey: local.operatorKey('ed25519') },
      },
    }
  }

  /** Nodes that may still be lost before the keys are: those up beyond t. */
  get #margin(): number {
    const { local, settings } = this.#running
    return Math.max(0, local.subnet.up.length - reconstructionThreshold(settings.nodes))
  }

  /** New shares of every key for the same nodes. Throws `SUBNET_SIGNING_STALLED`. */
  async refresh(): Promise<ReplyOf<'signer-refresh'>> {
    const startedMs = performance.now()
    const { local, operator } = this.#running
    const { genesis } = local.subnet
    const before = local.keyVersion
    const refresh = { version: BigInt(before) + 1n, change: undefined }
    const signature = operator.sign(operatorRefreshContent(genesis, refresh))
    const publicKey = decodePublicKey(operator.publicKeyDer).key
    local.subnet.operatorRequest(encodeOperatorRefresh({ refresh, publicKey, signature }))
    const keyVersion = await this.#until(() =>
      local.keyVersion > before ? local.keyVersion : undefined,
    )
    return {
      keyVersion,
      nodes: local.subnet.size,
      nodesUp: local.subnet.up.map((node) => node + 1),
      margin: this.#margin,
      totalMs: Math.round(performance.now() - startedMs),
    }
  }

  /** Makes the key when it is asked for first. Throws `SUBNET_SIGNING_STALLED`. */
  async publicKey({
    scheme,
    account,
  }: RequestOf<'signer-public-key'>): Promise<ReplyOf<'signer-public-key'>> {
    const master = await this.#key(scheme)
    const path = this.#callerPath(pathFor(account))
    const { publicKey, chainCode } = deriveKey(scheme, masterKey(fromHex(master)), path)
    return {
      keyId: OPERATOR_KEY,
      masterPublicKey: master,
      path: path.map(toHex),
      publicKey: toHex(publicKey),
      chainCode: toHex(chainCode),
    }
  }

  /** Throws `SUBNET_SIGNING_STALLED`. */
  async sign(request: RequestOf<'signer-sign'>): Promise<ReplyOf<'signer-sign'>> {
    const { scheme, account } = request
    const { publicKey } = await this.publicKey({ scheme, account })
    const startedMs = performance.now()
    const { local } = this.#running
    const message = fromHex(request.message)
    const taprootRoot = request.taprootRoot === undefined ? undefined : fromHex(request.taprootRoot)
    const nonce = entropy(NONCE_SIZE)
    const id = this.#ask({ nonce, scheme, message, taprootRoot, path: pathFor(account) })
    const { signature, by } = await this.#until(() => local.signatureOf(id))
    const claim = { publicKey: fromHex(publicKey), message, signature, taprootRoot }
    if (!verifySigned(scheme, claim))
      throw new Bug('the subnet made a signature that does not verify')
    return {
      signature: toHex(signature),
      publicKey,
      keyId: OPERATOR_KEY,
      nodes: by.map((node) => node + 1).toSorted((a, b) => a - b),
      totalMs: Math.round(performance.now() - startedMs),
    }
  }

  #callerPath(path: Path): Path {
    return [this.#running.descriptor.subnetId, ...path]
  }

  async #key(scheme: KeyScheme): Promise<string> {
    const { local } = this.#running
    const known = local.operatorKey(scheme)
    if (known !== undefined) return known
    const asked = { scheme, message: undefined, taprootRoot: undefined, path: [] }
    this.#ask({ nonce: entropy(NONCE_SIZE), ...asked })
    return this.#until(() => local.operatorKey(scheme))
  }

  /** Signs a request and hands it to the nodes; gives its id in hexadecimal. */
  #ask(request: OperatorRequest): string {
    const { local, operator } = this.#running
    const { genesis } = local.subnet
    const signature = operator.sign(operatorContent(genesis, request))
    const publicKey = decodePublicKey(operator.publicKeyDer).key
    local.subnet.operatorRequest(encodeOperatorRequest({ request, publicKey, signature }))
    return toHex(operatorRequestId(genesis, request))
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    const { local } = this.#running
    const deadline = performance.now() + WAIT_MS_MAX
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (performance.now() > deadline || !local.subnet.canProgress) throw stalled(local.subnet)
      await local.happening(LOOK_MS)
    }
  }
}

function pathFor(account: RequestOf<'signer-sign'>['account']): Path {
  return account === undefined ? [] : pathOf(readAccount(account))
}

const stalled = ({
  up,
  size,
}: {
  readonly up: readonly number[]
  readonly size: number
}): Problem =>
  new Problem(
    'SUBNET_SIGNING_STALLED',
    `no signature yet: ${up.length} of ${size} nodes up, ${agreementQuorum(size)} are needed`,
    {
      fix: 'look whether enough nodes run, then run the command again',
      command: 'ckbtc subnet status',
      details: { nodes: size, nodesUp: up.length, nodesNeeded: agreementQuorum(size) },
    },
  )
