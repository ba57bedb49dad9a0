/**
 * A network in memory for tests of the wallet: the canisters, the Bitcoin node and the IC interface
 * are the real ones, one node with a known key stands in for the threshold subnet.
 */
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { bigEndian, equalBytes, fromHex } from '../../src/core/base/bytes.ts'
import { derivePublicKey, masterKey } from '../../src/core/base/derivation.ts'
import { present } from '../../src/core/base/errors.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { NS_PER_MS, sat, timestampNs } from '../../src/core/base/units.ts'
import { nobleEd25519 } from '../../src/core/base/verification.ts'
import { encodeBlock, encodeHeader } from '../../src/core/btc/block.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import type { OutPoint } from '../../src/core/btc/transaction.ts'
import { txid } from '../../src/core/btc/transaction.ts'
import type { Account } from '../../src/core/ic/account.ts'
import { accountKey } from '../../src/core/ic/account.ts'
import type { CallReply } from '../../src/core/ic/call-reply.ts'
import { furtherToken } from '../../src/core/ic/canister-ids.ts'
import { certifiedMessage, encodeCertificate } from '../../src/core/ic/certificate.ts'
import type { Path } from '../../src/core/ic/hash-tree.ts'
import { selfAuthenticating } from '../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../src/core/ic/public-key.ts'
import { judgeRead } from '../../src/core/ic/read-state.ts'
import { separated } from '../../src/core/ic/request-id.ts'
import { queryBody, queryHash } from '../../src/core/ic/responses.ts'
import { witness } from '../../src/core/ic/state-tree.ts'
import type { Config } from '../../src/core/minter/config.ts'
import type { Settings } from '../../src/core/minter/constants.ts'
import type { Canister } from '../../src/core/subnet/canister.ts'
import {
  certifiedDataPath,
  requestPath,
  rootKeyOf,
  TIME_PATH,
} from '../../src/core/subnet/certified-state.ts'
import { checkerInterface } from '../../src/core/subnet/checker-interface.ts'
import { Replica } from '../../src/core/subnet/replica.ts'
import type { MinterSettings, TokenSettings } from '../../src/core/subnet/settings.ts'
import { embeddedMinter } from '../../src/core/subnet/settings.ts'
import type { IcBackend } from '../../src/host/ic/backend.ts'
import { IcGateway } from '../../src/host/ic/gateway.ts'
import { gatewayFetch } from '../../src/host/ic/gateway-fetch.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'
import { devUser } from '../../src/wallet/identity.ts'
import type { Network } from '../../src/wallet/network.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { withFurtherTokens } from '../../src/wallet/token.ts'
import { ingress } from './ingress.ts'

/** IC interface §27.5. */
const BLS_SECRET = fromHex('0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff0')
const NODE_SECRET = Uint8Array.from({ length: 32 }, (_, index) => index)
const MASTER_SECRET = 5n
const SUBNET_KEY = secp256k1.getPublicKey(bigEndian(MASTER_SECRET, 32), true)
/** A test's redemptions go out at once. */
const noQueue = (): MinterSettings => ({
  settings: { ...embeddedMinter.settings },
  init: { ...embeddedMinter.init, maxTimeInQueueNs: 0n },
})
const FIRST_BLOCKS = 101

const { shortSignatures: bls } = bls12_381
const blsKey = bls.getPublicKey(BLS_SECRET).toBytes()
const nodeKeyDer = encodePublicKey({ type: 'ed25519', key: nobleEd25519.publicKey(NODE_SECRET) })
const nodeId = selfAuthenticating(nodeKeyDer)
const payer = regtestWallet('payer')
const operator = devUser(4)

type MinterChange = {
  readonly config?: Partial<Config>
  readonly settings?: Partial<Settings>
}

type NetworkOptions = {
  readonly syncCalls?: boolean
  readonly aheadMs?: number
  /** Canisters beside those of every subnet. */
  readonly guests?: readonly Canister[]
  /** Beside ckBTC. */
  readonly tokens?: readonly TokenSettings[]
}

export class NetworkUnderTest implements IcBackend {
  readonly rootKey = rootKeyOf(blsKey)
  readonly replica: Replica
  readonly bitcoin = new RegtestNode()
  readonly gateway: IcGateway
  /** Calls that are taken in and not executed until `release`. */
  held: Uint8Array[] | undefined
  /** What a canister answers in place of the real one, by method. */
  readonly answers = new Map<string, CallReply>()
  /** How far its clock is ahead of this computer's. */
  readonly #aheadMs: number
  readonly #guests: readonly Canister[]
  readonly #tokens: readonly TokenSettings[]
  #time: TimestampNs
  #fed = 0
  /** Coinbases that payments have spent. */
  #spent = 0
  /** Accounts that the minter is at work on. */
  #inside: readonly string[] = []

  /** `syncCalls` off: calls are answered with 202, and the wallet has to ask again. */
  constructor({ syncCalls = true, aheadMs = 0, guests = [], tokens = [] }: NetworkOptions = {}) {
    this.#tokens = tokens
    this.#aheadMs = aheadMs
    this.#guests = guests
    this.#time = this.#now()
    this.replica = new Replica({
      nodes: [{ id: nodeId, publicKeyDer: nodeKeyDer }],
      operator: operator.principal,
      incarnation: 1n,
      ed25519: nativeEd25519,
      minter: noQueue(),
      guests,
      ledgers: { ckbtc: {}, tokens },
      createdAt: this.#time,
    })
    const options = {
      backend: this,
      clock: () => this.#now(),
      ed25519: nativeEd25519,
      implementation: 'test',
    }
    this.gateway = new IcGateway({ ...options, syncCalls })
    this.replica.masterKey(SUBNET_KEY, this.#time)
    this.replica.endSlot(this.#tick())
  }

  get fetch(): typeof fetch {
    return gatewayFetch(this.gateway)
  }

  /** As the wallet knows a running local subnet. */
  get network(): Network {
    const { ledger, minter, index, bitcoin } = this.replica.ids
    const further = this.#tokens.map(({ tokenSymbol: symbol, decimals }, place) => {
      return { symbol, decimals, ...furtherToken(place) }
    })
    const bare: Network = {
      name: 'local',
      kind: 'local',
      url: 'http://127.0.0.1:4943',
      bitcoin: 'regtest',
      ids: { ledger, minter, index, bitcoin },
      rootKey: this.rootKey,
      rootKeyOrigin: 'descriptor',
      nodeKeys: [{ id: nodeId, publicKey: nodeKeyDer }],
      masterKeys: [SUBNET_KEY],
    }
    return withFurtherTokens(bare, further)
  }

  #now(): TimestampNs {
    return timestampNs(BigInt(Date.now() + this.#aheadMs) * NS_PER_MS)
  }

  #seconds(): number {
    return Math.floor((Date.now() + this.#aheadMs) / 1000)
  }

  /** Slot time: strictly increasing, and the clock's otherwise. */
  #tick(): TimestampNs {
    const now = this.#now()
    this.#time = now > this.#time ? now : timestampNs(this.#time + 1n)
    return this.#time
  }

  get status() {
    return { health: 'healthy', certifiedSlot: 1n, certifiedTime: this.#time } as const
  }

  hasCanister(id: Uint8Array): boolean {
    const known = [
      ...Object.values(this.replica.ids),
      ...this.#guests.map((guest) => guest.id),
      ...this.#tokens.flatMap((_, place) => [
        furtherToken(place).ledger,
        furtherToken(place).index,
      ]),
    ]
    return known.some((each) => equalBytes(each, id))
  }

  async call({ envelope, requestId }: { envelope: Uint8Array; requestId: Hash32 }) {
    if (this.held !== undefined) {
      this.held.push(envelope)
      return { type: 'pending' } as const
    }
    this.#slot(() => this.replica.ingress(envelope, this.#time))
    const certificate = this.#certificate([TIME_PATH, requestPath(requestId)])
    return { type: 'certified', certificate } as const
  }

  /** Executes what was held. */
  release(): void {
    const envelopes = this.held ?? []
    this.held = undefined
    this.#slot(() => envelopes.map((envelope) => this.replica.ingress(envelope, this.#time)))
  }

  async query({ requestId, content }: Parameters<IcBackend['query']>[0]): Promise<Uint8Array> {
    const { sender: caller, canisterId, methodName, arg } = content
    const reply =
      this.answers.get(methodName) ??
      this.replica.query({ caller, canisterId, methodName, arg }, (id) =>
        this.#certificate([TIME_PATH, certifiedDataPath(id)]),
      )
    const timestamp = this.#now()
    const message = separated('ic-response', queryHash(reply, { requestId, timestamp }))
    const signature = nobleEd25519.sign(NODE_SECRET, message)
    return queryBody(reply, { timestamp, signature, nodeId })
  }

  async readState(read: Parameters<IcBackend['readState']>[0]) {
    const verdict = judgeRead(read, (id) => this.replica.findRequest(id))
    if (verdict.type === 'refused') return verdict
    this.#slot(() => undefined)
    return { type: 'certificate', certificate: this.#certificate(verdict.paths) } as const
  }

  #certificate(paths: readonly Path[]): Uint8Array {
    const tree = this.replica.stateTree(blsKey)
    const point = bls.sign(bls.hash(certifiedMessage(tree.hash)), BLS_SECRET)
    return encodeCertificate({ tree: witness(tree, paths), signature: point.toBytes() })
  }

  /** One slot, and one more for what it wanted signed. */
  #slot(run: () => unknown): void {
    this.#tick()
    const { retrieving } = this.replica.state.minter.state.volatile
    Object.assign(this.replica.state.minter.state.volatile, {
      retrieving: new Set([...retrieving, ...this.#inside]),
    })
    run()
    for (const { id, path, message } of this.replica.endSlot(this.#time)) {
      const { tweak } = derivePublicKey(masterKey(SUBNET_KEY), path)
      const secret = (MASTER_SECRET + tweak) % secp256k1.Point.Fn.ORDER
      const signature = secp256k1.sign(message, bigEndian(secret, 32), { prehash: false })
      this.replica.signatureReady({ requestId: id, signature }, this.#tick())
      this.replica.endSlot(this.#tick())
    }
    for (const { bytes } of this.replica.adapterWork().announce)
      this.bitcoin.submit(Uint8Array.from(bytes), this.#seconds())
  }

  /** Mines blocks and lets the subnet see them. */
  mine(count: number): void {
    this.bitcoin.mine(count, payer.script, this.#seconds())
    const blocks = Array.from({ length: this.bitcoin.tip().height - this.#fed }, (_, place) =>
      present(this.bitcoin.blockAt(this.#fed + place + 1), 'a block of the chain'),
    )
    this.#fed = this.bitcoin.tip().height
    this.#slot(() => {
      this.replica.proposeHeaders(
        0,
        blocks.map(({ header }) => encodeHeader(header)),
        this.#time,
      )
      for (const block of blocks) this.replica.block(encodeBlock(block), this.#time)
    })
  }

  /** The checker's operator flags an address, or a coin `<txid>:<vout>`. */
  flag(target: string): void {
    const { checker: canisterId } = this.replica.ids
    const [methodName, now] = ['x_flag', this.#now()] as const
    const call = { canisterId, methodName, method: checkerInterface[methodName], now }
    const envelope = ingress(operator, call, [{ target, flagged: true }])
    this.#slot(() => this.replica.ingress(envelope, this.#time))
  }

  /** The minter as if it had been installed with other values. */
  changeMinter({ config, settings }: MinterChange): void {
    const { minter } = this.replica.state
    Object.assign(minter.state.config, config)
    Object.assign(minter.settings, settings)
  }

  /** The minter has calls of these accounts under way, in this slot and those that follow. */
  workOn(accounts: readonly Account[]): void {
    this.#inside = accounts.map(accountKey)
  }

  /** Pays from a wallet that has mined; the payment waits for the next block. */
  pay(to: string, amount: bigint): OutPoint {
    if (this.bitcoin.tip().height === 0) this.mine(FIRST_BLOCKS)
    this.#spent += 1
    const coinbase = present(this.bitcoin.blockAt(this.#spent)?.transactions[0], 'a coinbase')
    const outpoint = { txid: txid(coinbase), vout: 0 }
    const value = present(coinbase.outputs[0], 'an output').value
    const payment = payer.pay({
      utxos: [{ outpoint, value }],
      to,
      amount: sat(amount),
      feeRateSatPerVb: 5n,
    })
    if (payment.type !== 'signed') throw new RangeError(payment.type)
    const submitted = this.bitcoin.submit(payment.bytes, this.#seconds())
    if (submitted.type === 'refused') throw new RangeError(submitted.reason)
    const paid = present(this.bitcoin.transaction(payment.txid), 'the payment').transaction
    const vout = paid.outputs.findIndex((output) => output.value === amount)
    return { txid: payment.txid, vout }
  }

  /** The chain as a source for the reserves. */
  get source() {
    return {
      output: async (outpoint: OutPoint) => this.bitcoin.utxo(outpoint),
      height: async () => this.bitcoin.tip().height,
    }
  }
}
