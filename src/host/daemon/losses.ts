/** Losses of the local minter, for its operator. Implements `docs/spec/minter.md` §18.8, cli §5.17. */
import { fromDisplayHex } from '../../core/base/bytes.ts'
import { Problem } from '../../core/base/errors.ts'
import { minterExtension } from '../../core/minter/interface/extension.ts'
import type { RequestOf } from '../control/protocol.ts'
import type { LocalSubnet } from '../local-subnet.ts'
import { callAsOperator } from './operator.ts'

const METHODS = { 'write-off': 'x_write_off', adopt: 'x_adopt_coins' } as const

/** Gives coins up for lost, or takes them in; the minter's own words say why it does not. */
export async function settleLosses(
  caller: Parameters<typeof callAsOperator>[0],
  { ids }: Pick<LocalSubnet, 'ids'>,
  { action, coins }: RequestOf<'losses'>,
): Promise<void> {
  const methodName = METHODS[action]
  const target = { canisterId: ids.minter, methodName, method: minterExtension[methodName] }
  const outpoints = coins.map(({ txid, vout }) => ({ txid: fromDisplayHex(txid), vout }))
  const answer = await callAsOperator(caller, target, [outpoints])
  if (answer.type === 'err')
    throw new Problem('MINTER_REFUSED', `the minter refuses: ${answer.reason}`, {
      fix: 'see which coins are missing, and what the reserve is',
      command: 'ckbtc info',
    })
}
