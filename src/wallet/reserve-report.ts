/**
 * The file of a judgement: everything it rests on, and a digest that tells damage. Implements cli
 * §5.13 (`--out`, `--report`). Version 1; the digest is SHA-256 of the document without it.
 */
import { fromDisplayHex, hash32, toDisplayHex, toHex, utf8 } from '../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../core/base/errors.ts'
import { sha256 } from '../core/base/hash.ts'
import type { JsonReader } from '../core/base/json.ts'
import {
  bigCount,
  exactly,
  hexBytes,
  integer,
  list,
  nullable,
  object,
  oneOf,
  parseJson,
  text,
} from '../core/base/json.ts'
import type { Principal } from '../core/ic/principal.ts'
import { principalOfText, textOfPrincipal } from '../core/ic/principal.ts'
import { decodeBlock, encodeBlock } from '../core/ledger/blocks/block-codec.ts'
import { decodeEvent, encodeEvent } from '../core/minter/events/event-log.ts'
import type { ChainOutput } from './bitcoin-source.ts'
import type { ReserveReport, ReserveViews } from './reserves.ts'

/** Of `ckbtc verify-reserves --out`. */
export type ReportFile = {
  /** RFC 3339, UTC. */
  readonly madeAt: string
  readonly verdict: ReserveReport['verdict']
  readonly views: ReserveViews
}

const VERSION = 1
export const REPORT_BYTES_MAX = 500_000_000
const ENTRIES_MAX = 5_000_000
const HEIGHT_MAX = 100_000_000

const id: JsonReader<Principal> = (value, where) => principalOfText(text(value, where))

const output = object({
  txid: text,
  vout: integer(0, 2 ** 32 - 1),
  state: oneOf('unspent', 'spent', 'unknown'),
  value_sat: nullable(bigCount),
  script: nullable(hexBytes),
  height: nullable(integer(0, HEIGHT_MAX)),
})

const document = object({
  version: exactly(VERSION),
  made_at: text,
  network: text,
  verdict: oneOf('backed', 'shortfall', 'mismatch', 'inconclusive'),
  ledger: id,
  minter: id,
  minter_public_key: hexBytes,
  minter_chain_code: hexBytes,
  height: integer(0, HEIGHT_MAX),
  supply_certificate: nullable(
    object({ certificate: hexBytes, hash_tree: hexBytes, root_key: hexBytes }),
  ),
  blocks: list(hexBytes, ENTRIES_MAX),
  events: list(hexBytes, ENTRIES_MAX),
  outputs: list(output, ENTRIES_MAX),
  digest: hexBytes,
})

export function encodeReport({ madeAt, verdict, views }: ReportFile): string {
  const { tip } = views
  const content = {
    version: VERSION,
    made_at: madeAt,
    network: views.network,
    verdict,
    ledger: textOfPrincipal(views.ledgerId),
    minter: textOfPrincipal(views.minterId),
    minter_public_key: toHex(views.minterKey.publicKey),
    minter_chain_code: toHex(views.minterKey.chainCode),
    height: views.height,
    supply_certificate:
      tip === undefined
        ? null
        : {
            certificate: toHex(tip.certificate),
            hash_tree: toHex(tip.hashTree),
            root_key: toHex(tip.rootKey),
          },
    blocks: views.blocks.map((block) => toHex(encodeBlock(block))),
    events: views.events.map((event) => toHex(encodeEvent(event))),
    outputs: views.outputs.map(({ outpoint, output: found }) => ({
      txid: toDisplayHex(outpoint.txid),
      vout: outpoint.vout,
      state: found.type,
      value_sat: found.type === 'unspent' ? String(found.value) : null,
      script: found.type === 'unspent' ? toHex(found.script) : null,
      height: found.type === 'unspent' ? found.height : null,
    })),
  }
  const digest = toHex(sha256(utf8(JSON.stringify(content))))
  return `${JSON.stringify({ ...content, digest })}\n`
}

/** Throws `REPORT_DAMAGED` for anything that `encodeReport` has not written. */
export function decodeReport(source: string): ReportFile {
  const file = attempt(() => readReport(source))
  if (!(file instanceof BadEncoding)) return file
  throw new Problem('REPORT_DAMAGED', `the report is not intact: ${file.message}`, {
    fix: 'it has been changed or cut off since it was written; make a new one',
    command: 'ckbtc verify-reserves --out <file>',
  })
}

function readReport(source: string): ReportFile {
  const { digest, ...read } = parseJson(source, document)
  const { supply_certificate: tip } = read
  const views: ReserveViews = {
    network: read.network,
    ledgerId: read.ledger,
    minterId: read.minter,
    minterKey: { publicKey: read.minter_public_key, chainCode: read.minter_chain_code },
    height: read.height,
    blocks: read.blocks.map(decodeBlock),
    events: read.events.map(decodeEvent),
    tip: tip && {
      certificate: tip.certificate,
      hashTree: tip.hash_tree,
      rootKey: tip.root_key,
    },
    outputs: read.outputs.map((found) => ({
      outpoint: { txid: hash32(fromDisplayHex(found.txid)), vout: found.vout },
      output: outputOf(found),
    })),
  }
  const file = { madeAt: read.made_at, verdict: read.verdict, views }
  // Written again it must be the same: so the digest covers every byte.
  if (encodeReport(file).trimEnd() !== source.trimEnd())
    throw new BadEncoding(`its digest is not ${toHex(digest).slice(0, 16)}…`)
  return file
}

function outputOf({
  state,
  value_sat: value,
  script,
  height,
}: {
  readonly state: ChainOutput['type']
  readonly value_sat: bigint | undefined
  readonly script: Uint8Array | undefined
  readonly height: number | undefined
}): ChainOutput {
  if (state !== 'unspent') return { type: state }
  if (value === undefined || script === undefined || height === undefined)
    throw new BadEncoding('an unspent output without value, script or height')
  return { type: 'unspent', value, script, height }
}
