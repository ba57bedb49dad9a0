/**
 * The chain of the local subnet as the control port shows it: a source that no node of the subnet
 * has a part in. Source: `docs/spec/cli.md` §5.13.
 */
import type { BlockHash } from '../../core/base/bytes.ts'
import { fromDisplayHex, fromHex, toDisplayHex } from '../../core/base/bytes.ts'
import type { OutPoint } from '../../core/btc/transaction.ts'
import type { ControlClient } from './client.ts'

export type ChainOutput =
  | {
      readonly type: 'unspent'
      readonly value: bigint
      readonly script: Uint8Array
      readonly height: number
    }
  | { readonly type: 'spent' }
  | { readonly type: 'unknown' }

export class ControlBitcoin {
  readonly #control: Pick<ControlClient, 'ask'>

  constructor(control: Pick<ControlClient, 'ask'>) {
    this.#control = control
  }

  /** State of an output on the best chain; the mempool is not asked. */
  async output({ txid, vout }: OutPoint): Promise<ChainOutput> {
    const found = await this.#control.ask('output', { txid: toDisplayHex(txid), vout })
    const { type, amountSat, script, height } = found
    if (type !== 'unspent') return { type }
    if (amountSat === undefined || script === undefined || height === undefined)
      return { type: 'unknown' }
    return { type, value: BigInt(amountSat), script: fromHex(script), height }
  }

  async height(): Promise<number> {
    return (await this.tip()).height
  }

  async tip(): Promise<{
    readonly hash: BlockHash
    readonly height: number
    readonly time: number
  }> {
    const { hash, height, time } = await this.#control.ask('tip', {})
    return { hash: fromDisplayHex(hash), height, time }
  }
}
