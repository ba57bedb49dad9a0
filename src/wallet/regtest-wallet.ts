/**
 * Ordinary Bitcoin keys for a regtest chain, from public words: worthless, and the same in every
 * run.
 */
import { concat, utf8 } from '../core/base/bytes.ts'
import { sha256 } from '../core/base/hash.ts'
import { regtest } from '../core/btc/network.ts'
import type { BitcoinWallet } from './bitcoin-wallet.ts'
import { createBitcoinWallet } from './bitcoin-wallet.ts'

export const regtestWallet = (name: string): BitcoinWallet =>
  createBitcoinWallet(sha256(concat(utf8('ckbtc regtest key '), utf8(name))), regtest)
