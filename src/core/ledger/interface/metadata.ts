/** What the ledger says about itself. Implements `docs/spec/ledger.md` §§11.4, 14 (ICRC-1, 10). */
import { textOfPrincipal } from '../../ic/principal.ts'
import { FEE_COLLECTOR_BLOCK } from '../blocks/block-value.ts'
import type { Config, MetadataEntry } from '../config.ts'
import { hasExtension } from '../config.ts'

/** Keys only the ledger itself may set. */
export const RESERVED_KEYS: readonly string[] = [
  'icrc1:decimals',
  'icrc1:name',
  'icrc1:symbol',
  'icrc1:fee',
  'icrc1:max_memo_length',
  'icrc103:public_allowances',
  'icrc103:max_take_value',
]

/** `icrc1_metadata`: the custom entries, then the ledger's own. */
export function metadata(config: Config): readonly MetadataEntry[] {
  const { indexPrincipal } = config
  const own: readonly MetadataEntry[] = [
    ['icrc1:decimals', { type: 'nat', nat: BigInt(config.decimals) }],
    ['icrc1:name', { type: 'text', text: config.tokenName }],
    ['icrc1:symbol', { type: 'text', text: config.tokenSymbol }],
    ['icrc1:fee', { type: 'nat', nat: config.transferFee }],
    ['icrc1:max_memo_length', { type: 'nat', nat: BigInt(config.memoLengthMax) }],
    ['icrc103:public_allowances', { type: 'text', text: 'true' }],
    ['icrc103:max_take_value', { type: 'nat', nat: BigInt(config.limits.takeAllowancesMax) }],
  ]
  const index: readonly MetadataEntry[] =
    indexPrincipal === undefined
      ? []
      : [['icrc106:index_principal', { type: 'text', text: textOfPrincipal(indexPrincipal) }]]
  return [...config.metadata, ...own, ...index]
}

export type Standard = { readonly name: string; readonly url: string }

/** Those of the reference release. */
export const SUPPORTED_STANDARDS: readonly Standard[] = [
  { name: 'ICRC-1', url: 'https://github.com/dfinity/ICRC-1/tree/main/standards/ICRC-1' },
  { name: 'ICRC-2', url: 'https://github.com/dfinity/ICRC-1/tree/main/standards/ICRC-2' },
  { name: 'ICRC-3', url: 'https://github.com/dfinity/ICRC-1/tree/main/standards/ICRC-3' },
  { name: 'ICRC-10', url: 'https://github.com/dfinity/ICRC/blob/main/ICRCs/ICRC-10/ICRC-10.md' },
  {
    name: 'ICRC-21',
    url: 'https://github.com/dfinity/wg-identity-authentication/blob/main/topics/ICRC-21/icrc_21_consent_msg.md',
  },
  { name: 'ICRC-103', url: 'https://github.com/dfinity/ICRC/tree/main/ICRCs/ICRC-103' },
  { name: 'ICRC-106', url: 'https://github.com/dfinity/ICRC/pull/106' },
]

const ICRC107_URL = 'https://github.com/dfinity/ICRC/blob/main/ICRCs/ICRC-107/ICRC-107.md'

/** `icrc1_supported_standards` and `icrc10_supported_standards`: with the extensions behind them. */
export const standardsOf = (config: Config): readonly Standard[] =>
  hasExtension(config, 'ICRC-107')
    ? [...SUPPORTED_STANDARDS, { name: 'ICRC-107', url: ICRC107_URL }]
    : SUPPORTED_STANDARDS

export type BlockType = { readonly blockType: string; readonly url: string }

const ICRC1_URL = 'https://github.com/dfinity/ICRC-1/blob/main/standards/ICRC-1/README.md'
const ICRC2_URL = 'https://github.com/dfinity/ICRC-1/blob/main/standards/ICRC-2/README.md'

/** Those of the reference release. */
export const SUPPORTED_BLOCK_TYPES: readonly BlockType[] = [
  { blockType: '1burn', url: ICRC1_URL },
  { blockType: '1mint', url: ICRC1_URL },
  { blockType: '1xfer', url: ICRC1_URL },
  { blockType: '2approve', url: ICRC2_URL },
  { blockType: '2xfer', url: ICRC2_URL },
]

/** `icrc3_supported_block_types`, of the ledger and of its archives. */
export const blockTypesOf = (config: Config): readonly BlockType[] =>
  hasExtension(config, 'ICRC-107')
    ? [...SUPPORTED_BLOCK_TYPES, { blockType: FEE_COLLECTOR_BLOCK, url: ICRC107_URL }]
    : SUPPORTED_BLOCK_TYPES
