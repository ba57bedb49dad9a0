/**
 * Signatures for the operator, under a key that no coin of the minter is under. Implements
 * `docs/spec/cli.md` §5.18, threshold §17.1.
 */
import { fromHex, toHex } from '../../core/base/bytes.ts'
import { masterKey } from '../../core/base/derivation.ts'
import { Bug, Problem, present, UsageInvalid } from '../../core/base/errors.ts'
import type { KeyScheme } from '../../core/base/key-scheme.ts'
import { deriveKey, verifySigned } from '../../core/base/key-scheme.ts'
import type { NodeIndex } from '../../core/base/party.ts'
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
import { readAccount } from '../control/account-shape.ts'
import type { ReplyOf, RequestOf } from '../control/protocol.ts'
import { signingTranscript } from '../control/signing-transcript.ts'
import { entropy } from '../entropy.ts'
import type { SigningTimes } from '../signature-watch.ts'
import type { Running } from './running.ts'

const NONCE_SIZE = 16
const LOOK_MS = 1_000
/** For a node to tell how it made a signature that is in the log already. */
const REPORT_MS_MAX = 3_000
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

  /** Throws `SUBNET_SIGNING_STALLED`, and `USAGE_INVALID` for nodes that cannot sign together. */
  async sign(request: RequestOf<'signer-sign'>): Promise<ReplyOf<'signer-sign'>> {
    const { scheme, account } = request
    const only = this.#chosen(request.only)
    const { publicKey } = await this.publicKey({ scheme, account })
    const startedMs = performance.now()
    const { local } = this.#running
    const message = fromHex(request.message)
    const taprootRoot = request.taprootRoot === undefined ? undefined : fromHex(request.taprootRoot)
    const nonce = entropy(NONCE_SIZE)
    const path = pathFor(account)
    const id = this.#ask({ nonce, scheme, message, taprootRoot, path, only })
    await this.#until(() => local.signatures.signatureOf(id), only)
    await this.#told(id)
    const made = present(local.signatures.signatureOf(id), 'it is in the log')
    const { signature, by, report, slots } = made
    const claim = { publicKey: fromHex(publicKey), message, signature, taprootRoot }
    if (!verifySigned(scheme, claim))
      throw new Bug('the subnet made a signature that does not verify')
    const ms = phasesOf(startedMs, made.times)
    const asked = {
      scheme,
      keyId: OPERATOR_KEY,
      path: this.#callerPath(path).map(toHex),
      taprootRoot: request.taprootRoot,
      only: request.only,
    }
    const { genesis } = local.subnet
    return {
      signature: toHex(signature),
      publicKey,
      keyId: OPERATOR_KEY,
      nodes: shown(by),
      blamed: shown((report?.shares ?? []).flatMap((s) => (s.blame === undefined ? [] : [s.node]))),
      slots,
      shareBytes: report?.shares.reduce((sum, { bytes }) => sum + bytes.length / 2, 0),
      ms,
      transcript:
        request.transcript && report !== undefined
          ? signingTranscript({ report, genesis, request: asked, ms })
          : undefined,
    }
  }

  /** A node that combined tells how when it has nothing more urgent to do; one that died never. */
  async #told(id: string): Promise<void> {
    const { local } = this.#running
    const deadline = performance.now() + REPORT_MS_MAX
    while (local.signatures.signatureOf(id)?.report === undefined && performance.now() < deadline)
      await local.happening(LOOK_MS)
  }

  /** Indices of the nodes that were named, ascending. */
  #chosen(nodes: readonly number[] | undefined): readonly number[] {
    if (nodes === undefined) return []
    const { up, size } = this.#running.local.subnet
    const chosen = [...new Set(nodes)].map((node) => node - 1).toSorted((a, b) => a - b)
    const needed = reconstructionThreshold(size)
    if (chosen.length < needed || chosen.some((node) => node >= size))
      throw new UsageInvalid(`shares of ${nodes.join(', ')} alone make no signature`, {
        fix: `name ${needed} or more of the nodes 1 to ${size}`,
        command: 'ckbtc signer info',
      })
    if (chosen.filter((node) => up.includes(node)).length >= needed) return chosen
    throw new Problem(
      'SUBNET_SIGNING_STALLED',
      `of the nodes ${shown(chosen).join(', ')} fewer than ${needed} are up`,
      {
        fix: 'name nodes that run, or leave --nodes out',
        command: 'ckbtc subnet status',
        details: { nodes: size, nodesUp: up.length, nodesNeeded: needed },
      },
    )
  }

  #callerPath(path: Path): Path {
    return [this.#running.descriptor.subnetId, ...path]
  }

  async #key(scheme: KeyScheme): Promise<string> {
    const { local } = this.#running
    const known = local.operatorKey(scheme)
    if (known !== undefined) return known
    const asked = { scheme, message: undefined, taprootRoot: undefined, path: [], only: [] }
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

  /** `only`: nodes on whose shares alone it depends, if it does. */
  async #until<T>(look: () => T | undefined, only: readonly NodeIndex[] = []): Promise<T> {
    const { local } = this.#running
    const deadline = performance.now() + WAIT_MS_MAX
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (!local.subnet.canProgress) throw stalled(local.subnet)
      if (performance.now() > deadline)
        throw only.length > 0 ? notByThem(only) : stalled(local.subnet)
      await local.happening(LOOK_MS)
    }
  }
}

function pathFor(account: RequestOf<'signer-sign'>['account']): Path {
  return account === undefined ? [] : pathOf(readAccount(account))
}

const shown = (nodes: readonly number[]): readonly number[] =>
  nodes.map((node) => node + 1).toSorted((a, b) => a - b)

/** What was not seen has no time. */
function phasesOf(
  startedMs: number,
  { pairedAtMs, combinedAtMs, combineMs, inLogAtMs }: SigningTimes,
): ReplyOf<'signer-sign'>['ms'] {
  const sharesAtMs = minus(combinedAtMs, combineMs)
  return {
    presign: tenths(minus(pairedAtMs, startedMs)),
    sign: tenths(minus(sharesAtMs, pairedAtMs)),
    combine: tenths(combineMs),
    order: tenths(minus(inLogAtMs, combinedAtMs)),
    total: Math.round(performance.now() - startedMs),
  }
}

const minus = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a - b

const tenths = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.max(0, Math.round(10 * ms) / 10)

const notByThem = (only: readonly NodeIndex[]): Problem =>
  new Problem(
    'SUBNET_SIGNING_STALLED',
    `no signature yet: of the nodes ${shown(only).join(', ')} too few give good shares`,
    {
      fix: 'look which of them lie or are slow, then name others or leave --nodes out',
      command: 'ckbtc subnet nodes',
    },
  )

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
