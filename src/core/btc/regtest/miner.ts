/** Builds and solves blocks of given transactions. Source: RN-9, RN-11; BIP34, BIP141. */
import { concat, fromBigEndian, hash32, u64be } from '../../base/bytes.ts'
import { assert, present } from '../../base/errors.ts'
import { sha256d } from '../../base/hash.ts'
import { sat } from '../../base/units.ts'
import type { Block, BlockHeader } from '../block.ts'
import {
  commitmentScript,
  encodeHeader,
  HEADER_SIZE,
  subsidy,
  witnessCommitment,
} from '../block.ts'
import { hashMeetsTarget, requiredBits, targetOfBits } from '../header.ts'
import type { HeaderNode, HeaderTree } from '../header-tree.ts'
import { branchOf, medianTimeOf } from '../header-tree.ts'
import { merkleRoot } from '../merkle.ts'
import { heightPush, pushData } from '../script.ts'
import type { Transaction } from '../transaction.ts'
import { NULL_VOUT, SEQUENCE_FINAL, transactionFromParts, txid } from '../transaction.ts'

/** BIP9 without any bit set. */
const BLOCK_VERSION = 0x2000_0000
const NONCE_OFFSET = 76
const NONCE_MAX = 0xffff_ffff
/** A block may be older than its parent, but not by more (HDR-8). */
const BACKWARD_MAX_S = 600
const EXTRA_NONCE_SIZE = 8
/** Far more than anybody mines: what is beyond was not counted here. */
const EXTRA_NONCES = 2n ** 48n
const ZERO_HASH = hash32(new Uint8Array(32))

export type MiningJob = {
  readonly tree: HeaderTree
  readonly parent: HeaderNode
  readonly transactions: readonly Transaction[]
  readonly fees: bigint
  readonly payToScript: Uint8Array
  /** Makes two blocks with the same parent differ. */
  readonly extraNonce: bigint
  readonly nowSeconds: number
}

/** A complete block with real proof of work. */
export function mineBlock(job: MiningJob): Block {
  const { tree, parent } = job
  const height = parent.height + 1
  const coinbase = coinbaseOf(job, height)
  const transactions = [coinbase, ...job.transactions]
  const time = Math.max(
    job.nowSeconds,
    medianTimeOf(tree, parent) + 1,
    parent.header.time - BACKWARD_MAX_S,
  )
  const { network } = tree
  const header = solve(
    {
      version: BLOCK_VERSION,
      previous: parent.hash,
      merkleRoot: merkleRoot(transactions.map(txid)).root,
      time,
      bits: requiredBits({ network, height, ancestor: branchOf(tree, parent), time }),
      nonce: 0,
    },
    tree,
  )
  return { header, transactions }
}

function coinbaseOf(job: MiningJob, height: number): Transaction {
  const { payToScript, extraNonce, tree } = job
  const reward = sat(subsidy(height, tree.network) + job.fees)
  const input = {
    outpoint: { txid: ZERO_HASH, vout: NULL_VOUT },
    scriptSig: concat(heightPush(height), pushData(u64be(extraNonce))),
    sequence: SEQUENCE_FINAL,
    witness: [ZERO_HASH],
  }
  const draft = transactionFromParts({ inputs: [input], outputs: [] })
  const commitment = witnessCommitment([draft, ...job.transactions], ZERO_HASH)
  return {
    ...draft,
    outputs: [
      { value: reward, script: payToScript },
      { value: sat(0n), script: commitmentScript(commitment) },
    ],
  }
}

/** Of a block that was mined here; −1 for others. */
export function extraNonceOf({ transactions: [coinbase] }: Block): bigint {
  const script = coinbase?.inputs[0]?.scriptSig ?? new Uint8Array()
  const value = fromBigEndian(script.slice(-EXTRA_NONCE_SIZE))
  return value < EXTRA_NONCES ? value : -1n
}

/** Tries nonces; on regtest every second one is good. */
function solve(header: BlockHeader, { network }: HeaderTree): BlockHeader {
  const target = present(targetOfBits(header.bits, network), 'required bits are valid')
  const bytes = encodeHeader(header)
  assert(bytes.length === HEADER_SIZE, 'a header has 80 bytes')
  const view = new DataView(bytes.buffer)
  for (let nonce = 0; nonce <= NONCE_MAX; nonce++) {
    view.setUint32(NONCE_OFFSET, nonce, true)
    if (hashMeetsTarget(sha256d(bytes), target)) return { ...header, nonce }
  }
  return present<BlockHeader>(undefined, 'some nonce solves a block at regtest difficulty')
}
