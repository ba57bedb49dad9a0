/** What commands of keys need of the world: somebody to ask, files, chance. */
import { randomBytes } from 'node:crypto'
import { concatAll } from '../core/base/bytes.ts'
import { BadEncoding, UsageInvalid } from '../core/base/errors.ts'
import { askSecret, askText, canAsk } from '../terminal/prompt.ts'
import type { ScryptCost } from '../wallet/keys/key-file.ts'
import { readBounded } from '../wallet/private-files.ts'
import type { Context } from './context.ts'

/** Whoever sits at the terminal. */
export type Person = {
  readonly askText: (message: string) => Promise<string>
  /** Without echo. */
  readonly askSecret: (message: string) => Promise<string>
}

export type KeyPorts = {
  /** Nobody where prompts are impossible (cli §3.9). */
  readonly person: Person | undefined
  /** The bytes of a file; of standard input for `-`, once. Longer ones are `BadEncoding`. */
  readonly read: (path: string, bytesMax: number) => Promise<Uint8Array | undefined>
  /** Standard output, for secrets that were asked for; what `--out -` means. */
  readonly output: { readonly isTerminal: boolean; write(bytes: Uint8Array): void }
  readonly entropy: (size: number) => Uint8Array
  readonly nowMs: () => number
  readonly cost?: ScryptCost
}

export function keyPorts({ environment, globals }: Context): KeyPorts {
  const { CI, CKBTC_NO_INPUT } = environment
  const asks = canAsk({ environment: { CI, CKBTC_NO_INPUT }, input: globals.input })
  const readInput = inputOnce()
  return {
    person: asks ? { askText, askSecret } : undefined,
    read: async (path, bytesMax) =>
      path === '-' ? readInput(bytesMax) : readBounded(path, bytesMax),
    output: {
      isTerminal: process.stdout.isTTY === true,
      write: (bytes) => void process.stdout.write(bytes),
    },
    entropy: (size) => new Uint8Array(randomBytes(size)),
    nowMs: Date.now,
  }
}

/** Standard input holds one thing: two options that name it are a mistake. */
function inputOnce(): (bytesMax: number) => Promise<Uint8Array> {
  let read = false
  return async (bytesMax) => {
    if (read)
      throw new UsageInvalid('standard input is named twice', {
        fix: 'name a file for one of the two',
        command: 'ckbtc help keys',
      })
    read = true
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of process.stdin) {
      const bytes = new Uint8Array(Buffer.from(chunk))
      size += bytes.length
      if (size > bytesMax) throw new BadEncoding(`standard input is longer than ${bytesMax} bytes`)
      chunks.push(bytes)
    }
    return concatAll(chunks)
  }
}
