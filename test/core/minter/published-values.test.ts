/**
 * Numbers that are published of the deployed minter, each by its name: from the master key of the
 * network to an address, sizes and fees of its transactions, the minimum that follows from a rate.
 * Source: minter §§1.2, 3, 10; the annex of the threshold specification.
 */
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { derivePublicKey, masterKey } from '../../../src/core/base/derivation.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'
import {
  addressText,
  rootOfKey,
  scriptOf,
  withdrawalSubaccount,
} from '../../../src/core/minter/addresses.ts'
import { FEE_RATE_MIN } from '../../../src/core/minter/constants.ts'
import { PRESENT } from '../../../src/core/minter/dialect.ts'
import { worstCaseVsize } from '../../../src/core/minter/transactions/build-transaction.ts'
import { rateAt, withdrawalMinAt } from '../../../src/core/minter/transactions/fees.ts'
import { TestMinter } from '../../support/minter-world.ts'

/** Compressed, of the key `key_1` of the Internet Computer. */
const KEY_1 = '02121bc3a5c38f38ca76487c72007ebbfd34bc6c4cb80a671655aa94585bbd0a02'
const CKBTC_MINTER = principalOfText('mqygn-kiaaa-aaaar-qaadq-cai')

const mainnetRoot = derivePublicKey(masterKey(fromHex(KEY_1)), [CKBTC_MINTER])

describe('from the master key of the Internet Computer', () => {
  it('the main address of ckBTC is the one that the deployed minter shows', () => {
    const { mainScript } = rootOfKey(mainnetRoot, CKBTC_MINTER)
    expect(addressText(mainScript, 'mainnet')).toBe('bc1q0jrxz4jh59t5qsu7l0y59kpfdmgjcq60wlee3h')
  })

  it('a deposit address is the one that the deployed minter hands out', () => {
    const owner = principalOfText('3gvau-pyaaa-aaaao-qa7kq-cai')
    const subaccount = fromHex('0104'.padStart(64, '0'))
    expect(addressText(scriptOf(mainnetRoot, { owner, subaccount }), 'mainnet')).toBe(
      'bc1q9q0kg90px3w9dadxku2x5pme77plcqxtn535rt',
    )
  })

  it('the withdrawal subaccount of a principal is the published one', () => {
    expect(toHex(withdrawalSubaccount(principalOfText('2chl6-4hpzw-vqaaa-aaaaa-c')))).toBe(
      'd3918f8aeef6118254d90399a3207b1fa062960f5e1b16643f2e8efb90add545',
    )
  })
})

const [P2WPKH, P2PKH, P2SH, P2TR] = [22, 25, 23, 34]

describe('what a transaction of the minter costs', () => {
  it.each([
    [1, P2WPKH, 141n, 212n, 300n],
    [1, P2PKH, 144n, 216n, 300n],
    [1, P2SH, 142n, 213n, 300n],
    [1, P2TR, 153n, 230n, 300n],
    [2, P2WPKH, 209n, 314n, 326n],
    [2, P2PKH, 212n, 318n, 326n],
    [1_000, P2WPKH, 68_325n, 102_488n, 146_034n],
  ])(
    '%i inputs, %i bytes of script: vsize, fee at the floor, minter fee',
    (inputs, script, ...rest) => {
      const [vsize, bitcoinFee, minterFee] = rest
      expect(worstCaseVsize(inputs, [script, P2WPKH])).toBe(vsize)
      expect(PRESENT.bitcoinFee(vsize ?? 0n, FEE_RATE_MIN.mainnet)).toBe(bitcoinFee)
      expect(PRESENT.minterFee(inputs, 2)).toBe(minterFee)
    },
  )

  it('a hundred recipients and a thousand coins stay below what nodes relay', () => {
    const outputs = [...new Array<number>(100).fill(P2TR), P2WPKH]
    expect(worstCaseVsize(1_000, outputs)).toBe(72_594n)
    expect(PRESENT.minterFee(1_000, 101)).toBe(146_430n)
  })
})

describe('the smallest withdrawal of mainnet', () => {
  const { config } = new TestMinter({
    init: { network: 'mainnet', checkFee: 2_000n, retrieveMinAmount: 100_000n },
  }).state

  // It rises where 22,100 + ⌈221 · median / 1,000⌉ + 305 + 2,000 passes a multiple of 50,000.
  it.each([
    [0n, 100_000n],
    [5_100n, 100_000n],
    [115_809n, 100_000n],
    [115_810n, 150_000n],
    [116_000n, 150_000n],
    [342_000n, 150_000n],
    [342_054n, 150_000n],
    [342_055n, 200_000n],
    [343_000n, 200_000n],
  ])('at a median of %i msat/vB is %i', (median, expected) => {
    expect(withdrawalMinAt(config, median)).toBe(expected)
  })

  it('with the values of today, check fee 100 and 50,000, is 50,000 up to 124 sat/vB', () => {
    const { config: today } = new TestMinter({ init: { network: 'mainnet', checkFee: 100n } }).state
    expect([0n, 124_000n, 124_407n, 124_408n].map((rate) => withdrawalMinAt(today, rate))).toEqual([
      50_000n,
      50_000n,
      50_000n,
      100_000n,
    ])
  })
})

describe('the rate of a withdrawal', () => {
  const ramp = Array.from({ length: 100 }, (_, i) => 100n * BigInt(i + 1))

  it('is the percentile of index 50, that of a consolidation of index 25', () => {
    expect(rateAt(ramp, 50, 'mainnet')).toBe(5_100n)
    expect(rateAt(ramp, 25, 'mainnet')).toBe(2_600n)
  })

  it.each([
    ['mainnet', 1_500n],
    ['testnet', 1_000n],
    ['regtest', 142n],
  ] as const)('that the network calls 142 is on %s %i', (network, expected) => {
    expect(rateAt(new Array<bigint>(100).fill(142n), 50, network)).toBe(expected)
  })

  it('is none from 99 percentiles, and none beyond the last', () => {
    expect(rateAt(ramp.slice(1), 50, 'mainnet')).toBeUndefined()
    expect(rateAt(ramp, 100, 'mainnet')).toBeUndefined()
  })
})
