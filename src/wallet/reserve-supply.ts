/**
 * The supply, from the ledger's blocks, and the certificate over the last of them. Implements cli
 * §5.13 step 1, ledger §10 (client verification).
 */
import type { Hash32 } from '../core/base/bytes.ts'
import { equalBytes, hash32, utf8 } from '../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../core/base/errors.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { decodeCbor } from '../core/ic/cbor.ts'
import { verifyCertificate } from '../core/ic/certificate.ts'
import { Cursor } from '../core/ic/cursor.ts'
import type { HashTree } from '../core/ic/hash-tree.ts'
import { hashTreeOfCbor, lookup, rootHash } from '../core/ic/hash-tree.ts'
import type { Principal } from '../core/ic/principal.ts'
import type { Block } from '../core/ledger/blocks/block.ts'
import { ckbtcConfig } from '../core/ledger/config.ts'
import type { TipCertificate } from '../core/ledger/interface/ledger-interface.ts'
import { tip, totalSupply } from '../core/ledger/queries.ts'
import { replay } from '../core/ledger/replay.ts'

/** The last block that the network vouches for; `empty` while there is none. */
export type CertifiedTip =
  | { readonly type: 'empty' }
  | { readonly type: 'tip'; readonly index: bigint; readonly hash: Hash32 }

export type TipCheck = {
  /** DER. */
  readonly rootKey: Uint8Array
  readonly ledgerId: Principal
  /** Undefined: its age is not judged. */
  readonly now: TimestampNs | undefined
}

/** Steps 1 to 4 of ledger §10. Throws `NETWORK_BAD_CERTIFICATE`. */
export function verifyTip(
  { certificate, hashTree }: TipCertificate,
  { rootKey, ledgerId, now }: TipCheck,
): CertifiedTip {
  const effective = { type: 'canister', id: ledgerId } as const
  const verified = verifyCertificate(certificate, { rootKey, effective, now })
  if (verified.type === 'refused') throw untrue(verified.reason)
  const certified = lookup(verified.tree, [utf8('canister'), ledgerId, utf8('certified_data')])
  const read = attempt(() => readTip(hashTree))
  if (read instanceof BadEncoding) throw untrue(read.message)
  if (certified.type !== 'found' || !equalBytes(certified.value, rootHash(read.tree)))
    throw untrue('it certifies another last block than the ledger shows')
  return read.tip
}

function readTip(bytes: Uint8Array): { readonly tree: HashTree; readonly tip: CertifiedTip } {
  const tree = hashTreeOfCbor(decodeCbor(bytes))
  if (tree.type === 'empty') return { tree, tip: { type: 'empty' } }
  const index = lookup(tree, [utf8('last_block_index')])
  const hash = lookup(tree, [utf8('last_block_hash')])
  if (index.type !== 'found' || hash.type !== 'found')
    throw new BadEncoding('the last block is not shown')
  const cursor = new Cursor(index.value)
  return {
    tree,
    tip: { type: 'tip', index: cursor.end(cursor.leb128()), hash: hash32(hash.value) },
  }
}

const untrue = (reason: string): Problem =>
  new Problem('NETWORK_BAD_CERTIFICATE', `the ledger’s last block is not certified: ${reason}`, {
    fix: 'do not believe this network',
    command: 'ckbtc doctor',
  })

/** Replays the blocks: every parent hash, balance and fee is checked on the way. */
export function supplyOf(
  blocks: readonly Block[],
  {
    minterId,
    certified,
  }: { readonly minterId: Principal; readonly certified: CertifiedTip | undefined },
  found: string[],
): bigint {
  const config = ckbtcConfig({ minter: minterId, archiveController: minterId })
  const replayed = replay(config, blocks)
  if (replayed.type === 'broken') {
    found.push(`ledger block ${replayed.blockIndex}: ${replayed.reason}`)
    return 0n
  }
  const last = tip(replayed.state)
  if (certified !== undefined && !isSame(certified, last))
    found.push('the blocks of the ledger do not lead to the last one that the network certifies')
  return totalSupply(replayed.state)
}

function isSame(certified: CertifiedTip, last: ReturnType<typeof tip>): boolean {
  if (certified.type === 'empty') return last === undefined
  return (
    last !== undefined && last.index === certified.index && equalBytes(last.hash, certified.hash)
  )
}
