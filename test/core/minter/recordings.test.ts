/**
 * Replies of the deployed minter of 2024, compared as decoded values. RECORDINGS.md beside the
 * recordings describes them and their known differences; each difference that a step meets is
 * listed here with its reason.
 */
import { expect, it } from 'vitest'
import type { Txid } from '../../../src/core/base/bytes.ts'
import { fromHex, hash32, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sat, timestampNs, tokens } from '../../../src/core/base/units.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import { decodeArgs } from '../../../src/core/ic/candid.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { principalOfText, textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { parseDestination } from '../../../src/core/minter/addresses.ts'
import { minterInterface } from '../../../src/core/minter/interface.ts'
import { notify } from '../../../src/core/minter/machine.ts'
import type { CheckTransactionResult } from '../../../src/core/minter/ports.ts'
import type { BitcoinNetwork } from '../../../src/core/minter/types.ts'
import type { WorldOptions } from '../../support/minter-world.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'
import { vectorJson } from '../../support/vectors.ts'

type Step = {
  readonly op: string
  readonly c?: string
  readonly m?: string
  readonly n?: string
  readonly as?: string
  readonly a?: string
  /** The arguments in text. */
  readonly in?: { readonly owner?: string; readonly subaccount?: string }
  readonly r?: string
  readonly x?: { readonly code: number }
  readonly t?: string
  readonly what?: string
  readonly answer?: string
  readonly address?: string
  readonly txid?: string
  readonly vout?: number
  readonly value?: string
  readonly height?: number
  readonly tip?: number
  readonly tainted?: boolean
}
type Recording = {
  readonly start: string
  readonly people: Readonly<Record<string, { readonly id: string }>>
  readonly ecdsa: { readonly minter_public_key: string; readonly minter_chain_code: string }
  readonly steps: readonly Step[]
}

class Player {
  readonly world: TestMinter
  readonly #recording: Recording

  constructor(recording: Recording, init: NonNullable<WorldOptions['init']>) {
    this.#recording = recording
    this.world = new TestMinter({
      init: { checkFee: 2_000n, retrieveMinAmount: 100_000n, ...init },
    })
    const { minter_public_key: publicKey, minter_chain_code: chainCode } = recording.ecdsa
    const key = { publicKey: fromHex(publicKey), chainCode: fromHex(chainCode) }
    notify(this.world.minter, this.world.world, { type: 'rootKey', key })
  }

  caller({ as = 'anonymous' }: Step): Principal {
    return principalOfText(this.#recording.people[as]?.id ?? as)
  }

  /** Our answer to a recorded call, and the recorded one; undefined where it was rejected. */
  call(step: Step): { readonly ours: unknown; readonly recorded: unknown } {
    const recorded = this.#recorded(step)
    const bytes = fromHex(step.a ?? '4449444c0000')
    const caller = this.caller(step)
    try {
      const answer = this.#answer(step.m ?? '', caller, bytes)
      return { ours: answer.type === 'trap' ? undefined : answer.value, recorded }
    } catch (error) {
      if (error instanceof BadEncoding) return { ours: undefined, recorded }
      throw error
    }
  }

  #answer(method: string, caller: Principal, bytes: Uint8Array) {
    const { world } = this
    switch (method) {
      case 'get_btc_address':
      case 'update_balance': {
        const [args] = decodeArgs(minterInterface[method].args, bytes)
        return world.answer(method, caller, args)
      }
      case 'get_withdrawal_account':
        return world.answer(method, caller, undefined)
      case 'retrieve_btc': {
        const [args] = decodeArgs(minterInterface[method].args, bytes)
        return world.answer(method, caller, args)
      }
      case 'retrieve_btc_with_approval': {
        const [args] = decodeArgs(minterInterface[method].args, bytes)
        return world.answer(method, caller, args)
      }
      default:
        throw new Error(`${method} is not compared`)
    }
  }

  #recorded({ m, r }: Step): unknown {
    if (r === undefined) return undefined
    switch (m) {
      case 'get_btc_address':
      case 'get_withdrawal_account':
      case 'update_balance':
      case 'retrieve_btc':
      case 'retrieve_btc_with_approval':
        return decodeArgs([minterInterface[m].result], fromHex(r))[0]
      default:
        throw new Error(`${m} is not compared`)
    }
  }
}

/** Texts of errors are each program's own. */
const withoutText = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'error' in value
    ? { type: 'err', error: { ...(value.error as object), message: undefined } }
    : value

const called = ({ steps }: Recording, methods: readonly string[]): readonly Step[] =>
  steps.filter(({ c, m }) => c === 'minter' && methods.includes(m ?? ''))

it('addresses, withdrawal accounts and judged destinations are those recorded', (context) => {
  const path = 'minter-recordings/minter-addresses-regtest.json'
  const recording = vectorJson<Recording>(context, path)
  const player = new Player(recording, {})
  // [H 6] A destination is judged only while coins can be spent: somebody else has brought one.
  player.world.chain.pay(
    addressScript(player.world.call('get_btc_address', user(1), {}), 'regtest'),
    10_000_000n,
  )
  player.world.call('update_balance', user(1), {})
  const differences = new Map([
    ['anonymous caller', 'the anonymous caller is served now'],
    ['anonymous owner', 'the anonymous owner is refused now'],
    ['main address in upper case', '[H 3] the text was compared, now the address'],
    [OWN_SUBACCOUNT, '[H 3] an address at which nobody can be credited'],
  ])
  const steps = called(recording, [
    'get_btc_address',
    'get_withdrawal_account',
    'retrieve_btc',
    'retrieve_btc_with_approval',
  ])
  expect(steps.length).toBeGreaterThan(100)
  for (const step of steps) {
    const { ours, recorded } = player.call(step)
    if (differences.has(nameOf(step))) expect(ours === undefined).not.toBe(recorded === undefined)
    else
      expect({ step, answer: withoutText(ours) }).toEqual({ step, answer: withoutText(recorded) })
  }
})

const OWN_SUBACCOUNT = 'a subaccount of the minter'

function nameOf({ n, in: args }: Step): string {
  const isOwn = args?.owner === textOfPrincipal(MINTER) && args.subaccount !== undefined
  return n ?? (isOwn ? OWN_SUBACCOUNT : '')
}

function addressScript(address: string, network: BitcoinNetwork): Uint8Array {
  const parsed = parseDestination(address, network)
  if (parsed.type === 'malformed') throw new Error(parsed.message)
  return parsed.script
}

/** What changes around the minter between its calls. */
function change({ world }: Player, step: Step, tainted: Set<string>): void {
  const { chain, ledger } = world
  switch (step.what) {
    case 'coin': {
      const txid = hash32(fromHex(step.txid ?? '')) as Txid
      const outpoint = { txid, vout: Number(step.vout) }
      const script = addressScript(step.address ?? '', 'mainnet')
      const [value, height] = [sat(BigInt(step.value ?? 0)), Number(step.height)]
      chain.utxosByKey.set(outpointKey(outpoint), { outpoint, script, value, height })
      if (step.tainted === true) tainted.add(toHex(txid))
      return
    }
    case 'tip':
      chain.tipHeight = Number(step.tip)
      return
    case 'kyt': {
      const { answer = '' } = step
      const down: CheckTransactionResult = { type: 'callFailed', message: answer }
      const isDown = answer !== 'normal'
      world.checker = {
        checkAddress: () => ({ type: 'passed' }),
        checkTransaction(txid) {
          if (isDown) return down
          return tainted.has(toHex(txid)) ? { type: 'failed', addresses: [] } : { type: 'passed' }
        },
      }
      return
    }
    case 'bitcoin_get_utxos':
      chain.isDown = step.answer !== 'normal'
      return
    case 'stop':
      ledger.failure = { type: 'temporarilyUnavailable', message: 'stopped' }
      return
    case 'start':
      ledger.failure = undefined
  }
}

/** Newer replies also list what is suspended. */
function asIn2024(value: unknown): unknown {
  const isMissing = typeof value === 'object' && value !== null && 'error' in value
  if (!isMissing) return value
  const error = value.error as object
  return {
    type: 'err',
    error: 'suspendedUtxos' in error ? { ...error, suspendedUtxos: [] } : error,
  }
}

/** That release minted the fees of the day for its checker: a block that ours never writes. */
function distributeKytFee({ world }: Player): void {
  const call = { amount: tokens(1n), memo: fromHex('820180'), createdAtTime: timestampNs(1n) }
  world.ledger.mint({ ...call, to: { owner: user(99) } })
}

it('deposits are credited, refused and counted as recorded', (context) => {
  const recording = vectorJson<Recording>(context, 'minter-recordings/minter-deposits.json')
  // That release had no minimum of its own; its crowd and its thousand coins are in other tests.
  const player = new Player(recording, { network: 'mainnet', depositMinAmount: 0n })
  player.world.chain.tipHeight = 850_000
  const tainted = new Set<string>()
  change(player, { op: 'world', what: 'kyt', answer: 'normal' }, tainted)
  const differences = new Map([
    ['value 1', 'the coin of value zero beside it is not listed now'],
    ['a day later', 'suspended deposits are looked at again each day'],
    ['for the anonymous owner', '[H 4] refused now'],
  ])
  const end = recording.steps.findIndex(({ op }) => op === 'together')
  let compared = 0
  for (const step of recording.steps.slice(0, end)) {
    if (step.t !== undefined) player.world.now = timestampNs(BigInt(step.t))
    if (step.op === 'world') change(player, step, tainted)
    if (step.op === 'jump') distributeKytFee(player)
    if (step.m !== 'update_balance') continue
    const { ours, recorded } = player.call(step)
    const isDifferent = differences.has(step.n ?? '')
    const [a, b] = [ours, recorded].map((each) => withoutText(asIn2024(each)))
    if (isDifferent) expect({ step, answer: a }).not.toEqual({ step, answer: b })
    else expect({ step, answer: a }).toEqual({ step, answer: b })
    compared += 1
  }
  expect(compared).toBeGreaterThan(40)
})
