/** The user's keys, one file each. Implements `docs/spec/cli.md` §§3.13, 3.14, 5.11. */
import { existsSync, linkSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { equalBytes, fromUtf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { withLock } from '../file-lock.ts'
import type { KeyCurve } from '../identity.ts'
import type { WidePath } from '../private-files.ts'
import {
  makePrivateFolder,
  narrowPermissions,
  readBounded,
  widePermissions,
  writePrivate,
} from '../private-files.ts'
import type { KeyFile, KeyMaterial, Protection, ScryptCost } from './key-file.ts'
import { openKey, protectionOf, sealKey } from './key-file.ts'
import { decodeKeyFile, encodeKeyFile, KEY_FILE_BYTES_MAX } from './key-file-codec.ts'
import type { KeyIndex } from './key-index.ts'
import { readIndex, renamed, writeIndex } from './key-index.ts'
import { isKeyName, requireKeyName } from './key-names.ts'
import type { OpenOperationsOf } from './key-refusals.ts'
import { corrupt, noSuchKey, refuseTaken, requireNoneOpen, taken } from './key-refusals.ts'
import type { Passphrase } from './passphrase.ts'

const ENDING = '.json'
/** A time of use is not written again sooner. */
const USE_NOTED_EVERY_MS = 60_000

export type KeyStorePorts = {
  /** `<data>`: the store keeps `keys/`, `keys.json` and `keys.lock` there. */
  readonly folder: string
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  readonly lockWaitMs?: number
  readonly cost?: ScryptCost
}

/** A key as lists show it. */
export type KeyEntry = {
  readonly name: string
  readonly principal: Principal
  readonly curve: KeyCurve
  readonly holds: 'phrase' | 'key'
  readonly protection: Protection
  /** RFC 3339. */
  readonly createdAt: string
  readonly usedAt: string | undefined
  readonly isDefault: boolean
}

/** A file among the keys that is none. */
export type BrokenKey = { readonly name: string; readonly problem: Problem }

export class KeyStore {
  readonly #ports: KeyStorePorts
  readonly #keys: string
  readonly #index: string
  readonly #lock: string

  constructor(ports: KeyStorePorts) {
    this.#ports = ports
    this.#keys = join(ports.folder, 'keys')
    this.#index = join(ports.folder, 'keys.json')
    this.#lock = join(ports.folder, 'keys.lock')
  }

  /** Every key by name, and what stands among them and cannot be read. */
  list(): { readonly keys: readonly KeyEntry[]; readonly broken: readonly BrokenKey[] } {
    const index = readIndex(this.#index)
    const keys: KeyEntry[] = []
    const broken: BrokenKey[] = []
    for (const name of this.names()) {
      try {
        keys.push(this.#entry(name, index))
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        broken.push({ name, problem: error })
      }
    }
    return { keys, broken }
  }

  names(): readonly string[] {
    if (!existsSync(this.#keys)) return []
    return readdirSync(this.#keys)
      .filter((file) => file.endsWith(ENDING))
      .map((file) => file.slice(0, -ENDING.length))
      .filter(isKeyName)
      .sort()
  }

  /** `KEY_NOT_FOUND` for a name that no key has. */
  entry(name: string): KeyEntry {
    return this.#entry(name, readIndex(this.#index))
  }

  get defaultName(): string | undefined {
    return readIndex(this.#index).defaultName
  }

  /** Tells early what `create` would refuse: `USAGE_INVALID`, `KEY_EXISTS`. */
  requireFree(name: string): void {
    if (this.names().includes(requireKeyName(name))) throw taken(name)
  }

  /** The first key becomes the default one. */
  async create(
    name: string,
    material: KeyMaterial,
    passphrase: Passphrase | undefined,
  ): Promise<KeyEntry> {
    this.requireFree(name)
    const file = await sealKey(material, this.#now(), this.#sealing(passphrase))
    return this.#write(() => {
      this.#add(name, file)
      const index = readIndex(this.#index)
      if (index.defaultName === undefined) writeIndex(this.#index, { ...index, defaultName: name })
      return this.entry(name)
    })
  }

  /** The secret; of a locked key only with its passphrase. */
  async open(name: string, passphrase: Passphrase | undefined): Promise<KeyMaterial> {
    return openKey(this.#read(name), passphrase, name)
  }

  async setDefault(name: string): Promise<KeyEntry> {
    return this.#write(() => {
      this.#read(name)
      writeIndex(this.#index, { ...readIndex(this.#index), defaultName: name })
      return this.entry(name)
    })
  }

  /** Operations know their key by name, so none may be open. */
  async rename(from: string, to: string, openOperationsOf: OpenOperationsOf): Promise<KeyEntry> {
    requireKeyName(to)
    return this.#write(() => {
      const index = readIndex(this.#index)
      this.#read(from)
      requireNoneOpen(from, openOperationsOf)
      // After a crash both names are there, never none.
      refuseTaken(to, () => linkSync(this.#path(from), this.#path(to)))
      writeIndex(this.#index, renamed(index, from, to))
      rmSync(this.#path(from))
      return this.entry(to)
    })
  }

  async remove(name: string, openOperationsOf: OpenOperationsOf): Promise<void> {
    return this.#write(() => {
      const index = readIndex(this.#index)
      if (!this.names().includes(name)) throw this.#notFound(name)
      requireNoneOpen(name, openOperationsOf)
      rmSync(this.#path(name))
      writeIndex(this.#index, renamed(index, name, undefined))
    })
  }

  /** Seals the secret anew; without a new passphrase it stands in the file openly. */
  async changePassphrase(
    name: string,
    material: KeyMaterial,
    passphrase: Passphrase | undefined,
  ): Promise<KeyEntry> {
    const old = this.#read(name)
    const file = await sealKey(material, old.createdAt, this.#sealing(passphrase))
    if (!equalBytes(file.principal, old.principal))
      throw corrupt(name, 'its secret is not that of the principal it names')
    return this.#write(() => {
      this.#read(name)
      writePrivate(this.#path(name), encodeKeyFile(file))
      return this.entry(name)
    })
  }

  /** Never an obstacle: where it cannot be written now, the time of use is not noted. */
  async noteUse(name: string): Promise<void> {
    const before = readIndex(this.#index).usedAt.get(name)
    const now = this.#now()
    if (before !== undefined && Date.parse(now) - Date.parse(before) < USE_NOTED_EVERY_MS) return
    const note = (): void => {
      const index = readIndex(this.#index)
      writeIndex(this.#index, { ...index, usedAt: new Map([...index.usedAt, [name, now]]) })
    }
    try {
      await withLock(this.#lock, note, { waitMs: 0 })
    } catch (error) {
      if (!(error instanceof Error && ignoredWhenNoting.has(error.name))) throw error
    }
  }

  /** Files and folders of keys that others than their owner have rights to. */
  widePermissions(name?: string): readonly WidePath[] {
    const files = name === undefined ? this.names() : [name]
    return [this.#keys, ...files.map((file) => this.#path(file))]
      .map(widePermissions)
      .filter((wide) => wide !== undefined)
  }

  /** Takes those rights away. */
  narrowPermissions(): readonly WidePath[] {
    const wide = this.widePermissions()
    wide.forEach(narrowPermissions)
    return wide
  }

  #entry(name: string, { defaultName, usedAt }: KeyIndex): KeyEntry {
    const file = this.#read(name)
    const { principal, curve, holds, createdAt } = file
    return {
      name,
      principal,
      curve,
      holds,
      protection: protectionOf(file),
      createdAt,
      usedAt: usedAt.get(name),
      isDefault: name === defaultName,
    }
  }

  #read(name: string): KeyFile {
    if (!isKeyName(name)) throw this.#notFound(name)
    const source = attempt(() => {
      const bytes = readBounded(this.#path(name), KEY_FILE_BYTES_MAX)
      return bytes === undefined ? undefined : fromUtf8(bytes)
    })
    if (source === undefined) throw this.#notFound(name)
    if (source instanceof BadEncoding) throw corrupt(name, source.message)
    return decodeKeyFile(source, name)
  }

  #add(name: string, file: KeyFile): void {
    makePrivateFolder(this.#keys)
    refuseTaken(name, () =>
      writePrivate(this.#path(name), encodeKeyFile(file), { exclusive: true }),
    )
  }

  #write<T>(action: () => T): Promise<T> {
    const { lockWaitMs } = this.#ports
    return withLock(this.#lock, action, lockWaitMs === undefined ? {} : { waitMs: lockWaitMs })
  }

  #sealing(passphrase: Passphrase | undefined) {
    const { cost } = this.#ports
    return { passphrase, ...(cost === undefined ? {} : { cost }) }
  }

  #now(): string {
    return new Date(this.#ports.nowMs()).toISOString()
  }

  #path(name: string): string {
    return join(this.#keys, `${name}${ENDING}`)
  }

  #notFound(name: string): Problem {
    return noSuchKey(name, this.names())
  }
}

const ignoredWhenNoting: ReadonlySet<string> = new Set(['HOST_STATE_LOCKED', 'HOST_DISK'])
