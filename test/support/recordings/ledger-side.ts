/** The ledger of a recording: our ledger machine, called by people and by our minter. */
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { tokens } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import type { Codec } from '../../../src/core/ic/candid.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface.ts'
import { legacyInterface } from '../../../src/core/ledger/legacy-interface.ts'
import { apply, initial } from '../../../src/core/ledger/machine.ts'
import { decideUpgrade } from '../../../src/core/ledger/settings.ts'
import type { State } from '../../../src/core/ledger/state.ts'
import type { BurnFromResult, Ledger, LedgerFailure } from '../../../src/core/minter/ports.ts'
import { LedgerCanister } from '../../../src/core/subnet/ledger-canister.ts'
import type { Readable, Step } from './format.ts'
import { field, fieldsOf, NotUnderstood } from './format.ts'
import { accountOf, configOf, settingsOf } from './ledger-arguments.ts'
import type { OurCalls } from './our-calls.ts'
import type { Outcome } from './outcome.ts'
import { NO_SUCH_METHOD, TRAPPED } from './outcome.ts'
import { readableMessage } from './readable.ts'

const methods: Readonly<Record<string, { readonly result: Codec<unknown> }>> = {
  ...ledgerInterface,
  ...legacyInterface,
}

export const ledgerCodec = (method: string): Codec<unknown> | undefined =>
  Object.hasOwn(methods, method) ? methods[method]?.result : undefined

const STOPPED: LedgerFailure = { type: 'temporarilyUnavailable', message: 'the ledger is stopped' }

/** Readable form of an account as calls have it. */
export function readableAccount({ owner, subaccount }: Account): Readable {
  const text = textOfPrincipal(owner)
  return subaccount === undefined ? { owner: text } : { owner: text, subaccount: toHex(subaccount) }
}

const answerOf = (result: BurnFromResult): Readable =>
  result.type === 'ok' ? { Ok: String(result.blockIndex) } : 'refused'

export class LedgerSide {
  readonly #calls: OurCalls
  readonly #id: Principal
  #installed: { readonly canister: LedgerCanister; readonly state: State } | undefined
  isStopped = false

  constructor(id: Principal, calls: OurCalls) {
    this.#id = id
    this.#calls = calls
  }

  get #ledger() {
    if (this.#installed === undefined) throw new NotUnderstood('a call before the ledger is there')
    return this.#installed
  }

  get state(): State {
    return this.#ledger.state
  }

  install(step: Step, now: TimestampNs): Outcome {
    const state = initial(configOf(field(step.in, 'Init')), now)
    this.#installed = { canister: new LedgerCanister(this.#id, state), state }
    this.isStopped = false
    return { reply: 'answered' }
  }

  upgrade(step: Step): Outcome {
    const settings = settingsOf(fieldsOf(field(step.in, 'Upgrade')))
    const { events, reply } = decideUpgrade(this.state, settings)
    for (const event of events) apply(this.state, event)
    return reply.type === 'trap' ? { code: TRAPPED } : { reply: 'answered' }
  }

  answer(step: Step, caller: Principal, now: TimestampNs): Outcome {
    if (this.isStopped) return { code: TRAPPED }
    const kind = step.op === 'q' ? 'query' : 'update'
    const context = { caller, now, kind, dataCertificate: () => undefined } as const
    const handlers = this.#ledger.canister.handlers(context)
    const method = step.m ?? ''
    const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined
    const codec = ledgerCodec(method)
    if (handler === undefined || codec === undefined || (kind === 'query' && !handler.isQuery))
      return { code: NO_SUCH_METHOD }
    const outcome = handler.answer(fromHex(step.a ?? ''))
    return outcome.type === 'result'
      ? { reply: readableMessage(codec, outcome.value) }
      : { code: TRAPPED, message: outcome.message }
  }

  /** As the minter sees it, in the words of a recording. */
  port(minter: Principal, now: TimestampNs): Ledger {
    const inner = this.#ledger.canister.port(minter, now)
    const asked = (m: string, call: Readable, ask: () => BurnFromResult): BurnFromResult => {
      const result = this.isStopped ? STOPPED : ask()
      this.#calls.add({ m, in: call, out: answerOf(result) })
      return result
    }
    const plain = <R>(result: BurnFromResult): R => result as R // Each port method has its answers.
    const common = ({ amount, memo }: { amount: bigint; memo: Uint8Array }) => ({
      amount: String(amount),
      memo: toHex(memo),
    })
    const main = readableAccount({ owner: minter })
    return {
      ...inner,
      mint: (call) =>
        plain(
          asked('icrc1_transfer', { to: readableAccount(call.to), ...common(call) }, () =>
            inner.mint(call),
          ),
        ),
      burn: (call) => {
        const from_subaccount = toHex(call.subaccount)
        const said = { from_subaccount, to: main, ...common(call) }
        return plain(asked('icrc1_transfer', said, () => inner.burn(call)))
      },
      burnFrom: (call) => {
        const said = { from: readableAccount(call.from), to: main, ...common(call) }
        return asked('icrc2_transfer_from', said, () => inner.burnFrom(call))
      },
      balanceOf: (account) => {
        const result = this.isStopped
          ? ({ type: 'temporarilyUnavailable', message: STOPPED.message } as const)
          : inner.balanceOf(account)
        const out = result.type === 'balance' ? String(result.balance) : 'refused'
        this.#calls.add({ m: 'icrc1_balance_of', in: readableAccount(account), out })
        return result
      },
    }
  }

  /** Carries out a recorded call that ours did not make: it keeps the two logs in step. */
  instead(m: string, readable: Readable | undefined, minter: Principal, now: TimestampNs): string {
    const { amount: satoshi, memo: hex, from, from_subaccount: own, to } = fieldsOf(readable)
    const amount = tokens(BigInt(String(satoshi)))
    const memo = fromHex(String(hex ?? ''))
    const port = this.#ledger.canister.port(minter, now)
    const common = { amount, memo, createdAtTime: now }
    const result =
      m === 'icrc2_transfer_from'
        ? port.burnFrom({ ...common, from: accountOf(from) })
        : own === undefined
          ? port.mint({ ...common, to: accountOf(to) })
          : port.burn({ ...common, subaccount: fromHex(String(own)) })
    return result.type === 'ok' ? String(result.blockIndex) : result.type
  }
}
