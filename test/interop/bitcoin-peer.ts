/** A Bitcoin node of other makers, in a process of its own, as a test drives it. Source: RN-26. */
import { createServer } from 'node:net'

export interface ForeignNode {
  /** Where it listens for peers, on loopback. */
  readonly port: number
  /** Mines to the script that it was started with. */
  mine(count: number): Promise<void>
  /** Connects to a peer on loopback. */
  connect(port: number): Promise<void>
  tip(): Promise<{ readonly hash: string; readonly height: number }>
  /** Transaction ids as they are displayed. */
  mempool(): Promise<readonly string[]>
  /** What it has against a block or a transaction in hexadecimal, or `accepted`. */
  submitBlock(hex: string): Promise<string>
  submitTransaction(hex: string): Promise<string>
  /** A block with its transactions, as its JSON-RPC shows them. */
  block(hash: string): Promise<unknown>
  close(): Promise<void>
}

export type ForeignKind = {
  readonly name: string
  /** Why there is none on this machine; undefined when there is. */
  readonly missing: string | undefined
  /** BIP34 holds on its regtest from the first block on, as in Core since 23. */
  readonly hasHeights: boolean
  /** Fields of its JSON-RPC that have words or units of its own. */
  readonly ownWords: readonly string[]
  /** `script`: whom its miner pays; a P2WPKH script. */
  readonly start: (script: Uint8Array) => Promise<ForeignNode>
}

/** A port of loopback that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0))
    })
  })
}
