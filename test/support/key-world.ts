/** A folder of keys for one test, cheap passphrases, and a person who answers prompts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { CkbtcError } from '../../src/core/base/errors.ts'
import { SecretKey } from '../../src/wallet/identity.ts'
import type { KeyMaterial } from '../../src/wallet/keys/key-file.ts'
import { KeyStore } from '../../src/wallet/keys/key-store.ts'
import type { PassphraseSources } from '../../src/wallet/keys/passphrase.ts'
import { Passphrase } from '../../src/wallet/keys/passphrase.ts'

/** The cheapest scrypt that the format allows: tests open many files. */
export const cheap = { n: 2, r: 8, p: 1 } as const

export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5)

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ckbtc-keys-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function keyStore(clock = { ms: START_MS }): { store: KeyStore; folder: string } {
  const folder = temporaryFolder()
  const store = new KeyStore({ folder, nowMs: () => clock.ms, lockWaitMs: 0, cost: cheap })
  return { store, folder }
}

export const secretOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

export const materialOf = (byte: number): KeyMaterial => ({
  type: 'key',
  key: new SecretKey('secp256k1', secretOf(byte)),
})

export const words = (text: string): Passphrase => new Passphrase(text)

/** Nothing is given and nobody can be asked, but for what `parts` say. */
export const sourcesWith = (parts: Partial<PassphraseSources> = {}): PassphraseSources => ({
  environment: {},
  read: async () => undefined,
  realFunds: false,
  ...parts,
})

/** Answers questions in order, and keeps them. */
export function person(...answers: readonly string[]) {
  const questions: string[] = []
  const ask = async (question: string): Promise<string> => {
    questions.push(question)
    return answers[questions.length - 1] ?? ''
  }
  return { ask, questions }
}

/** The error that `action` must end with. */
export async function failure(action: () => unknown): Promise<CkbtcError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof CkbtcError) return error
    throw error
  }
  throw new RangeError('it should have failed')
}

export const codeOf = async (action: () => unknown): Promise<string> => (await failure(action)).code
