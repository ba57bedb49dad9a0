/**
 * The load generator of G4, a process of its own: envelopes are signed before the clock starts,
 * each root signature is checked once. Source: performance specification §7.
 */
import { Agent as HttpPool, request as httpRequest } from 'node:http'
import { fromHex, toHex, u32be } from '../../src/core/base/bytes.ts'
import { assert, Problem } from '../../src/core/base/errors.ts'
import { installSha256 } from '../../src/core/base/hash.ts'
import { addNs, timestampNs } from '../../src/core/base/units.ts'
import { encodeArgs } from '../../src/core/ic/candid.ts'
import { decodeCbor } from '../../src/core/ic/cbor.ts'
import { decodeCertificate, verifyCertificate } from '../../src/core/ic/certificate.ts'
import { encodeEnvelope, signCall } from '../../src/core/ic/envelope.ts'
import { rootHash } from '../../src/core/ic/hash-tree.ts'
import { principalOfText } from '../../src/core/ic/principal.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { systemClock } from '../../src/host/clock.ts'
import { nativeSha256 } from '../../src/native/sha256.ts'
import { clientOf } from '../../src/wallet/canisters.ts'
import { devUser } from '../../src/wallet/identity.ts'
import type { LoadReport, LoadTask } from './calls-task.ts'

const WARM_UP = 3
const EXPIRY_NS = 240_000_000_000n
const STATUS_OK = 200
const user = devUser(0)
const to = { owner: devUser(1).principal }

const seconds = async (act: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await act()
  return (performance.now() - start) / 1_000
}

async function timesOf(count: number, act: () => Promise<unknown>): Promise<readonly number[]> {
  for (let i = 0; i < WARM_UP; i++) await act()
  const times: number[] = []
  for (let i = 0; i < count; i++) times.push(1_000 * (await seconds(act)))
  return times
}

/** The subnet under load has to take all of it. */
const refusedLoad = (status: number | undefined, body: Uint8Array): Problem =>
  new Problem('CHECK_FAILED', `the load was refused with ${status}: ${Buffer.from(body)}`, {
    fix: 'run it with nothing else on the machine',
  })

class Load {
  readonly #task: LoadTask
  #pool: HttpPool
  readonly #rootKey: Uint8Array
  readonly #signatures = new Set<string>()
  #unfinished = 0

  constructor(task: LoadTask) {
    this.#task = task
    this.#rootKey = fromHex(task.rootKey)
    this.#pool = this.#freshPool()
  }

  async run(): Promise<LoadReport> {
    const { singles, calls, queries, ledgerId, url, echoUrl } = this.#task
    const echoBody = this.#envelope('call', 0)
    const echo = async () => void (await this.#post(echoUrl, echoBody))
    const echoMs = await timesOf(singles, echo)
    const singleMs = await timesOf(singles, this.#single())
    const signed = (type: 'call' | 'query', count: number): readonly Uint8Array[] =>
      Array.from({ length: count }, (_, i) => this.#envelope(type, i))
    const callBodies = signed('call', calls)
    const callUrl = `${url}/api/v4/canister/${ledgerId}/call`
    const callsSeconds = await this.#many(callBodies, async (body) =>
      this.#believe(await this.#post(callUrl, body)),
    )
    const queryBodies = signed('query', queries)
    const queryUrl = `${url}/api/v3/canister/${ledgerId}/query`
    const queriesSeconds = await this.#many(queryBodies, async (body) => {
      const answer = decodeCbor(await this.#post(queryUrl, body))
      assert(textField(answer, 'status') === 'replied', 'a balance is told to everybody')
    })
    const echoSeconds = await this.#many(queryBodies, (body) => this.#post(echoUrl, body))
    this.#pool.destroy()
    return {
      singleMs,
      echoMs,
      callsSeconds,
      queriesSeconds,
      echoSeconds,
      rootSignatures: this.#signatures.size,
      unfinished: this.#unfinished,
    }
  }

  #single(): () => Promise<unknown> {
    const { url, ledgerId } = this.#task
    const ledger = principalOfText(ledgerId)
    // Neither minter nor addresses are asked for.
    const ids = { ledgerId: ledger, minterId: ledger, masterPublicKey: new Uint8Array() }
    const client = clientOf({ url, rootKey: this.#rootKey, ...ids }, { signer: user })
    return async () => {
      const result = await client.ledger.transfer({ to, amount: 1n })
      assert(result.type === 'ok', 'the caller has money')
    }
  }

  #envelope(type: 'call' | 'query', index: number): Uint8Array {
    const isCall = type === 'call'
    const arg = isCall
      ? encodeArgs(ledgerInterface.icrc1_transfer.args, [{ to, amount: 1n }])
      : encodeArgs(ledgerInterface.icrc1_balance_of.args, [{ owner: user.principal }])
    const content = {
      type,
      sender: user.principal,
      ingressExpiry: timestampNs(addNs(systemClock(), EXPIRY_NS)),
      nonce: u32be(index),
      canisterId: principalOfText(this.#task.ledgerId),
      methodName: isCall ? 'icrc1_transfer' : 'icrc1_balance_of',
      arg,
    }
    return encodeEnvelope(signCall(content, user))
  }

  /** Each caller sends its next request when the last one is answered. */
  #freshPool(): HttpPool {
    return new HttpPool({ keepAlive: true, maxSockets: this.#task.callers })
  }

  #many(
    bodies: readonly Uint8Array[],
    act: (body: Uint8Array) => Promise<unknown>,
  ): Promise<number> {
    // Connections that idled while envelopes were signed may be closed by now.
    this.#pool.destroy()
    this.#pool = this.#freshPool()
    const waiting = bodies[Symbol.iterator]()
    const caller = async (): Promise<void> => {
      for (const body of waiting) await act(body)
    }
    return seconds(() => Promise.all(Array.from({ length: this.#task.callers }, caller)))
  }

  #post(url: string, body: Uint8Array): Promise<Uint8Array> {
    const headers = { 'content-type': 'application/cbor', 'content-length': body.length }
    return new Promise((resolve, reject) => {
      const request = httpRequest(url, { method: 'POST', agent: this.#pool, headers })
      request.on('error', reject)
      request.on('response', (response) => {
        const chunks: Uint8Array[] = []
        response.on('data', (chunk: Uint8Array) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const answer = new Uint8Array(Buffer.concat(chunks))
          if (response.statusCode === STATUS_OK) resolve(answer)
          else reject(refusedLoad(response.statusCode, answer))
        })
      })
      request.end(body)
    })
  }

  /** A signature that was checked once covers every certificate with the same root. */
  #believe(body: Uint8Array): void {
    const answer = decodeCbor(body)
    const bytes = answer instanceof Map ? answer.get('certificate') : undefined
    if (!(bytes instanceof Uint8Array)) {
      this.#unfinished++
      return
    }
    const { tree, signature } = decodeCertificate(bytes)
    const signed = `${toHex(rootHash(tree))} ${toHex(signature)}`
    if (this.#signatures.has(signed)) return
    this.#signatures.add(signed)
    const effective = { type: 'canister', id: principalOfText(this.#task.ledgerId) } as const
    const check = { rootKey: this.#rootKey, effective, now: systemClock() }
    const verified = verifyCertificate(bytes, check)
    assert(verified.type !== 'refused', 'the subnet certifies what it answers')
  }
}

function textField(answer: unknown, name: string): unknown {
  return answer instanceof Map ? answer.get(name) : undefined
}

installSha256(nativeSha256)
process.once('message', async (task: LoadTask) => {
  process.send?.(await new Load(task).run())
  process.disconnect()
})
