/**
 * The embedded Bitcoin node from nothing to its first 101 blocks, as a process of its own. Prints
 * the most memory that it had, in bytes.
 */
import { installSha256 } from '../../src/core/base/hash.ts'
import { EmbeddedBitcoin } from '../../src/host/bitcoin/embedded-node.ts'
import { nativeSha256 } from '../../src/native/sha256.ts'

const BYTES_PER_KB = 1_024

installSha256(nativeSha256)
const bitcoin = await EmbeddedBitcoin.start()
bitcoin.mine(101, Uint8Array.of(0x51))
process.stdout.write(`${process.resourceUsage().maxRSS * BYTES_PER_KB}`)
await bitcoin.close()
