/** Makes recordings: a deployed minter’s days, written down by hand in the form of its recordings. */
import * as bitcoin from 'bitcoinjs-lib'
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { Method, ValueOf } from '../../../src/core/ic/candid.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'
import { archiveInterface } from '../../../src/core/ledger/archive/archive-interface.ts'
import type { LedgerArg } from '../../../src/core/ledger/interface/init-interface.ts'
import { ledgerArgCodec } from '../../../src/core/ledger/interface/init-interface.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { minterArgCodec, minterInterface } from '../../../src/core/minter/interface/interface.ts'
import type { RecordedCall, Recording, Step } from './format.ts'
import { readableOf } from './readable.ts'

export const MINTER = 'mqygn-kiaaa-aaaar-qaadq-cai'
export const LEDGER = 'mxzaz-hqaaa-aaaar-qaada-cai'
export const KYT = 'okeor-uyaaa-aaaar-qaamq-cai'
export const ALICE = 'jkb66-xa5ww-psk67-cssit-dmlvn-gi445-znep7-ug27r-s2wcd-tgyhk-fae'
export const ALICE_ADDRESS = 'bc1q3r93y86yqa9skn8guedeuggyd2z49kdnkrx494'
export const MAIN_ADDRESS = 'bc1qenavq5cup44v9thmd89lu7e98l88flanutvxw7'
export const START = 1_719_792_000_000_000_000n
export const SECOND = 1_000_000_000n

const interfaces = {
  minter: minterInterface,
  ledger: ledgerInterface,
  archive: archiveInterface,
}
type Api = typeof interfaces
/** The same without their types. */
const methods: Readonly<Record<keyof Api, Readonly<Record<string, Method>>>> = interfaces

type Args<C extends keyof Api, M extends keyof Api[C]> = Api[C][M] extends {
  readonly args: infer A
}
  ? A extends readonly [infer First, ...unknown[]]
    ? ValueOf<First>
    : undefined
  : never
type Result<C extends keyof Api, M extends keyof Api[C]> = Api[C][M] extends {
  readonly result: infer R
}
  ? ValueOf<R>
  : never

/** A call with its arguments, and what the recorded canister answered. */
export function call<C extends keyof Api, M extends keyof Api[C] & string>(
  c: C,
  m: M,
  args: Args<C, M>,
  reply: Result<C, M>,
  rest: Partial<Step> = {},
): Step {
  const { args: argCodecs, result } = present<Method>(methods[c][m], `${c} has no method ${m}`)
  const [codec] = argCodecs
  const given = codec === undefined ? [] : [args]
  const readable = codec === undefined ? undefined : readableOf(codec, args)
  return {
    op: 'u',
    as: 'alice',
    c,
    m,
    a: toHex(encodeArgs(argCodecs, given)),
    ...(readable === undefined ? {} : { in: readable }),
    r: toHex(encodeArgs([result], [reply])),
    ...rest,
  }
}

const ledgerInit: LedgerArg = {
  type: 'init',
  args: {
    decimals: 8,
    tokenSymbol: 'ckBTC',
    tokenName: 'ckBTC',
    transferFee: 10n,
    metadata: [],
    mintingAccount: { owner: principalOfText(MINTER) },
    initialBalances: [],
    maxMemoLength: 80,
    archiveOptions: {
      numBlocksToArchive: 1_000n,
      triggerThreshold: 1_000_000n,
      controllerId: principalOfText(MINTER),
    },
  },
}

export const install: readonly Step[] = [
  {
    op: 'world',
    what: 'fee_percentiles',
    list: Array.from({ length: 100 }, (_, i) => 1_000 + 100 * i),
  },
  {
    op: 'install',
    c: 'ledger',
    a: toHex(encodeArgs([ledgerArgCodec], [ledgerInit])),
  },
  {
    op: 'install',
    c: 'minter',
    a: toHex(
      encodeArgs(
        [minterArgCodec],
        [
          {
            type: 'init',
            args: {
              network: 'mainnet',
              ledgerId: principalOfText(LEDGER),
              kytId: principalOfText(KYT),
              ecdsaKeyName: 'key_1',
              retrieveMinAmount: 100_000n,
              maxTimeInQueueNs: 600n * SECOND,
              minConfirmations: 6,
              mode: { type: 'generalAvailability' },
              kytFee: 2_000n,
            },
          },
        ],
      ),
    ),
    in: { Init: { btc_network: { Mainnet: null } } },
  },
]

const ASKED: RecordedCall = { to: 'ic', m: 'bitcoin_get_current_fee_percentiles' }

/** Time passes until `seconds` after the start; the recorded minter made these calls. */
export const wait = (seconds: number, calls: readonly RecordedCall[] = []): Step => ({
  op: 'wait',
  t: String(START + BigInt(seconds) * SECOND),
  calls: [ASKED, ...calls],
})

/** An unsigned transaction, by an independent library. */
export function transaction(
  inputs: readonly (readonly [txid: string, vout: number])[],
  outputs: readonly (readonly [address: string, value: bigint])[],
): { readonly txid: string; readonly sent: RecordedCall } {
  const tx = new bitcoin.Transaction()
  tx.version = 2
  for (const [txid, vout] of inputs) tx.addInput(Buffer.from(txid, 'hex'), vout, 0xfffffffd)
  for (const [address, value] of outputs)
    tx.addOutput(bitcoin.address.toOutputScript(address), value)
  const raw = tx.toHex()
  const txid = toHex(tx.getHash())
  return { txid, sent: { to: 'ic', m: 'bitcoin_send_transaction', in: { transaction: raw } } }
}

export const failed = (sent: RecordedCall): RecordedCall => ({
  ...sent,
  x: { code: 4, message: 'no' },
})

export const recordingOf = (steps: readonly Step[]): Recording => ({
  format: 1,
  kind: 'minter',
  scenario: 'a story',
  start: String(START),
  people: { alice: { id: ALICE }, anonymous: { id: '2vxsx-fae' } },
  canisters: { ledger: LEDGER, minter: MINTER, kyt: KYT },
  ecdsa: {
    master_secret: '11ad92ebff29cd80fa14b3c1e5c080246d69ff6af285da3c01378410cd31f2c5',
    minter_public_key: '036a427dccd05bf98ba5abd489326acfde00b77a4a3a590b063c62ffc5520ccdc0',
    minter_chain_code: 'de87e4f62066165037702af30ddfda06df5d24fd8afb9fbd818a589f279ad35a',
  },
  steps,
})
