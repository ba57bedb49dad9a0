/** Random calls to a ledger, few accounts and small amounts, and the same for a simple model of it. */
import { u64be } from '../../../src/core/base/bytes.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import { decodeArgs } from '../../../src/core/ic/candid.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import type { Call, Reply } from '../../../src/core/ledger/types.ts'
import type { User } from '../../../src/wallet/identity.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { ingress } from '../ingress.ts'
import type { Random } from '../random.ts'

/** The first one mints. */
export const users: readonly User[] = [3, 0, 1, 2].map((index) => devUser(index))
const [minting, ...holders] = users
export const mintingAccount: Account = { owner: (minting ?? devUser(3)).principal }
export const FEE = 7n

const subaccount = new Uint8Array(32).fill(1, 31)
export const accounts: readonly Account[] = holders.flatMap(({ principal: owner }) => [
  { owner },
  { owner, subaccount },
])

/** A call as its user means it; what is asked again is the same call in another envelope. */
export type Asked = { readonly user: User; readonly call: Call }

export function drawCall(random: Random, now: TimestampNs): Asked {
  const user = random.pick(users)
  const account = (): Account => (random.oneIn(8) ? mintingAccount : random.pick(accounts))
  const amount = BigInt(random.below(random.oneIn(6) ? 100_000 : 400))
  // Mostly named, so that it may be asked again.
  const createdAtTime = random.oneIn(5) ? undefined : near(random, now)
  const fee = random.oneIn(4) ? random.pick([FEE, 0n]) : undefined
  const common = { amount, createdAtTime, fee }
  const own = random.oneIn(2) ? undefined : subaccount
  const kind = random.below(4)
  if (kind === 0)
    return {
      user,
      call: {
        type: 'icrc2_approve',
        arg: {
          ...common,
          fromSubaccount: own,
          spender: random.pick(accounts),
          expectedAllowance: random.oneIn(6) ? BigInt(random.below(300)) : undefined,
          expiresAt: random.oneIn(3) ? near(random, now) : undefined,
        },
      },
    }
  if (kind === 1)
    return {
      user,
      call: {
        type: 'icrc2_transfer_from',
        arg: { ...common, spenderSubaccount: own, from: random.pick(accounts), to: account() },
      },
    }
  const arg = { ...common, fromSubaccount: user === minting ? undefined : own, to: account() }
  return { user, call: { type: 'icrc1_transfer', arg } }
}

/** Some seconds from now; seldom too old, or in the future. */
function near(random: Random, now: TimestampNs): TimestampNs {
  const seconds = random.oneIn(10) ? random.pick([-90_000, -86_400, 61, 3_600]) : random.below(50)
  return timestampNs(now + BigInt(seconds) * NS_PER_SECOND + BigInt(random.below(1_000)))
}

/** `number` makes the envelope another one. */
export function envelopeOf(
  { user, call }: Asked,
  {
    ledger,
    now,
    number,
  }: { readonly ledger: Principal; readonly now: TimestampNs; number: number },
): Uint8Array {
  const nonce = u64be(BigInt(number))
  const to = { canisterId: ledger, methodName: call.type, now, nonce }
  if (call.type === 'icrc2_approve')
    return ingress(user, { ...to, method: ledgerInterface.icrc2_approve }, [call.arg])
  return call.type === 'icrc2_transfer_from'
    ? ingress(user, { ...to, method: ledgerInterface.icrc2_transfer_from }, [call.arg])
    : ingress(user, { ...to, method: ledgerInterface.icrc1_transfer }, [call.arg])
}

/** What the ledger said, as the model says it. */
export function readReply({ type }: Call, reply: CallReply): Reply {
  if (reply.type === 'rejected') return { type: 'trap', message: '' }
  const [result] = decodeArgs([ledgerInterface[type].result], reply.arg)
  return result as Reply
}
