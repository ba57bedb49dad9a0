/**
 * The journal of operations: plain JSON lines, each on disk before what it speaks of happens.
 * Implements `docs/spec/cli.md` §§3.10, 3.14.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { CkbtcError, HostDisk, Problem } from '../../core/base/errors.ts'
import { withLock } from '../file-lock.ts'
import { FILE_MODE, makePrivateFolder, syncFolder, systemCode } from '../private-files.ts'
import type { Facts, Operation, OperationState } from './operation.ts'
import { isOpen, operationKinds, operationStates } from './operation.ts'

/** Of the lines; a newer one is refused and never rewritten. */
const VERSION = 1
/** More than a lifetime of operations; whatever is larger is no journal. */
const FILE_BYTES_MAX = 256 * 1024 * 1024
/** Crockford's alphabet: no letter looks like another one. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const ID_LETTERS = 10
const ID = /^op_[0-9A-HJKMNP-TV-Z]{10}$/
/** Stands behind the rest of a line that a crash has cut off. */
const TORN = '{"torn":true}'

export type NewOperation = Pick<Operation, 'kind' | 'network' | 'key' | 'account' | 'facts'>

export type JournalPorts = {
  readonly path: string
  readonly entropy: (size: number) => Uint8Array
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
}

type Line = {
  readonly v: number
  readonly op: string
  readonly at: string
  readonly state?: OperationState | undefined
  readonly facts?: Facts | undefined
  /** Of the first line of an operation. */
  readonly begin?: Omit<NewOperation, 'facts'> | undefined
}

export class Journal {
  readonly #ports: JournalPorts

  constructor(ports: JournalPorts) {
    this.#ports = ports
  }

  /** Writes a plan down; nothing has been sent. */
  begin({ facts, ...begin }: NewOperation): Operation {
    const bytes = this.#ports.entropy(ID_LETTERS)
    const op = `op_${[...bytes].map((byte) => LETTERS[byte % LETTERS.length]).join('')}`
    this.#append({ v: VERSION, op, at: this.#now(), begin, state: 'planned', facts })
    return this.get(op)
  }

  /** Adds to an operation what has become of it; facts of the same name are replaced. */
  update(
    op: string,
    { state, facts }: { readonly state?: OperationState; readonly facts?: Facts },
  ): Operation {
    this.#append({ v: VERSION, op, at: this.#now(), state, facts })
    return this.get(op)
  }

  /** Oldest first. Throws `CONFIG_INVALID` for a file that is damaged or newer. */
  all(): readonly Operation[] {
    const operations = new Map<string, Operation>()
    for (const line of this.#read()) {
      const known = operations.get(line.op)
      const next = known === undefined ? first(line) : following(known, line)
      if (next !== undefined) operations.set(line.op, next)
    }
    return [...operations.values()]
  }

  find(op: string): Operation | undefined {
    return this.all().find(({ id }) => id === op)
  }

  /** Throws `USAGE_INVALID` when there is none. */
  get(op: string): Operation {
    const found = this.find(op)
    if (found !== undefined) return found
    throw new Problem('USAGE_INVALID', `there is no operation ${op} in the journal`, {
      fix: 'open operations are listed by',
      command: 'ckbtc status',
    })
  }

  /** Operations that are not over, newest first. */
  open(network: string): readonly Operation[] {
    return this.all()
      .filter((operation) => operation.network === network && isOpen(operation))
      .reverse()
  }

  /**
   * Goes on with an operation while no other process does; `action` gets it as it is then. Throws
   * `HOST_STATE_LOCKED`.
   */
  exclusively<T>(
    op: string,
    action: (operation: Operation) => T | Promise<T>,
    waiting?: { readonly waitMs: number },
  ): Promise<T> {
    return withLock(`${this.#ports.path}.${op}.lock`, () => action(this.get(op)), waiting)
  }

  #now(): string {
    return new Date(this.#ports.nowMs()).toISOString()
  }

  /**
   * Commands that run at the same time append whole lines, each in one write; nothing is ever taken
   * away. Throws `HOST_DISK`.
   */
  #append(line: Line): void {
    const { path } = this.#ports
    try {
      makePrivateFolder(dirname(path))
      const file = openSync(path, 'a+', FILE_MODE)
      try {
        const isNew = fstatSync(file).size === 0
        const repair = isTorn(file) ? `\n${TORN}\n` : ''
        const bytes = Buffer.from(`${repair}${JSON.stringify(line)}\n`)
        const written = writeSync(file, bytes)
        fsyncSync(file)
        if (isNew) syncFolder(dirname(path))
        if (written < bytes.length) throw new HostDisk(path, 'the disk is full', undefined)
      } finally {
        closeSync(file)
      }
    } catch (error) {
      if (error instanceof CkbtcError || systemCode(error) === undefined) throw error
      throw new HostDisk(path, String(systemCode(error)), error)
    }
  }

  *#read(): Iterable<Line> {
    const { path } = this.#ports
    if (!existsSync(path)) return
    if (statSync(path).size > FILE_BYTES_MAX) throw damaged(path, 1, 'it is too large')
    const text = readFileSync(path, 'utf8')
    // What follows the last line break was being written when something stopped it.
    const rows = text.split('\n').slice(0, -1)
    for (const [index, row] of rows.entries())
      if (row !== TORN && rows[index + 1] !== TORN)
        yield parseLine(row, { path, number: index + 1 })
  }
}

/** Whether the last line was cut off while it was written. */
function isTorn(file: number): boolean {
  const { size } = fstatSync(file)
  if (size === 0) return false
  const last = Buffer.alloc(1)
  readSync(file, last, 0, 1, size - 1)
  return last[0] !== '\n'.charCodeAt(0)
}

const damaged = (path: string, line: number, what: string): Problem =>
  new Problem('CONFIG_INVALID', `${path}, line ${line}: ${what}`, {
    fix: 'keep the file; move it away to start a new journal, and read it with any editor',
  })

function parseLine(row: string, place: { readonly path: string; readonly number: number }): Line {
  const bad = (what: string): Problem => damaged(place.path, place.number, what)
  let value: unknown
  try {
    value = JSON.parse(row)
  } catch (cause) {
    if (cause instanceof SyntaxError) throw bad('it is no JSON')
    throw cause
  }
  const { v, op, at, state, facts, begin } = Object(value) as Record<string, unknown>
  if (typeof v === 'number' && v > VERSION)
    throw bad(`it is of version ${v}, this program knows ${VERSION}: use a newer ckbtc`)
  if (v !== VERSION || typeof op !== 'string' || !ID.test(op) || typeof at !== 'string')
    throw bad('it is no line of a journal')
  const known = operationStates.find((name) => name === state)
  if (state !== undefined && known === undefined) throw bad(`an unknown state "${String(state)}"`)
  return { v, op, at, state: known, facts: factsOf(facts), begin: beginOf(begin) }
}

function factsOf(value: unknown): Facts {
  return Object.fromEntries(
    Object.entries(Object(value ?? {})).filter(
      (entry): entry is [string, Facts[string]] =>
        entry[1] === null || ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  )
}

function beginOf(value: unknown): Line['begin'] {
  const { kind, network, key, account } = Object(value ?? {}) as Record<string, unknown>
  const known = operationKinds.find((name) => name === kind)
  if (known === undefined || typeof network !== 'string' || typeof account !== 'string')
    return undefined
  return { kind: known, network, key: typeof key === 'string' ? key : null, account }
}

const first = ({ op, at, state, facts, begin }: Line): Operation | undefined =>
  begin === undefined
    ? undefined
    : {
        id: op,
        ...begin,
        startedAt: at,
        updatedAt: at,
        state: state ?? 'planned',
        facts: facts ?? {},
      }

const following = (operation: Operation, { at, state, facts }: Line): Operation => ({
  ...operation,
  updatedAt: at,
  state: state ?? operation.state,
  facts: { ...operation.facts, ...facts },
})
