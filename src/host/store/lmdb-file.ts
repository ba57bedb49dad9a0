/**
 * Checks that the file of an LMDB environment is a sound tree, before native code that trusts it
 * maps it: a pointer that leads nowhere would end the process. Source: `mdb.c` of lmdb 3.5, data
 * format 2 (pages, nodes, meta pages), `midl.c` (lists of free pages).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { arch, endianness } from 'node:os'

const MAGIC = 0xbeef_c0de
const DATA_VERSION = 2
const HEADER_SIZE = 24
const NODE_HEADER_SIZE = 8
const LARGE_SIZE = 24
const PAGE_SIZES = { min: 256, max: 65_536 } as const
const FLAGS_SEEN = 0x6f
const BRANCH = 0x01
const LEAF = 0x02
const OVERFLOW = 0x04
const META = 0x08
const LARGE_VALUE = 0x01
const NO_PAGE = 0xffff_ffff_ffff_ffffn
const DEPTH_MAX = 32

/** Pages that a transaction may have taken and given back without writing them. */
const UNWRITTEN_PAGES_MAX = 1_024

type Tree = {
  readonly depth: number
  readonly root: bigint
  readonly pages: { readonly branch: number; readonly leaf: number; readonly overflow: number }
  readonly entries: number
}
type Meta = {
  readonly pageSize: number
  readonly transaction: bigint
  readonly lastPage: number
  readonly free: Tree
  readonly main: Tree
}
type Node = {
  readonly key: Buffer
  readonly flags: number
  readonly at: number
  readonly size: number
}

/** Meets the tree from left to right. */
type Visitor = {
  readonly separator: (node: Node) => void
  readonly entry: (page: Buffer, node: Node) => void
}
type Counts = { branch: number; leaf: number; overflow: number; entries: number }
type Place = {
  readonly number: number
  readonly level: number
  readonly visitor: Visitor
  readonly counts: Counts
}

class Flaw extends Error {}

/** What is wrong with the file; undefined for a sound one, and for one of another format. */
export function lmdbFileFlaw(path: string): string | undefined {
  // The layout below is that of 64-bit little-endian machines; elsewhere LMDB's own checks stand.
  if (endianness() !== 'LE' || !/64$/.test(arch())) return undefined
  const file = openSync(path, 'r')
  try {
    new Walk(file).check()
    return undefined
  } catch (error) {
    if (error instanceof Flaw) return error.message
    throw error
  } finally {
    closeSync(file)
  }
}

class Walk {
  readonly #file: number
  readonly #size: number
  readonly #used = new Set<number>()
  #pageSize = 0
  #lastPage = 0
  #transaction = 0n

  constructor(file: number) {
    this.#file = file
    this.#size = fstatSync(file).size
  }

  check(): void {
    if (this.#size === 0) return // Made, and never written: LMDB begins anew.
    const first = this.#meta(0)
    const second = this.#meta(first.pageSize)
    // Commits take the two in turn.
    if (Math.abs(Number(first.transaction - second.transaction)) > 1)
      throw new Flaw('the newest commit is missing')
    const newest = first.transaction > second.transaction ? first : second
    this.#pageSize = newest.pageSize
    this.#lastPage = newest.lastPage
    this.#transaction = newest.transaction
    if (newest.lastPage > this.#size / newest.pageSize + UNWRITTEN_PAGES_MAX)
      throw new Flaw('the file is cut off')
    this.#tree(newest.main, inOrder())
    const lists: Buffer[] = []
    this.#tree(newest.free, {
      separator: () => undefined,
      entry: (page, node) => lists.push(this.#value(page, node)),
    })
    for (const list of lists) this.#freePages(list)
  }

  #meta(offset: number): Meta {
    const bytes = this.#read(offset, HEADER_SIZE + 144)
    const at = (field: number): number => HEADER_SIZE + field
    if ((bytes.readUInt16LE(18) & META) === 0) throw new Flaw('a head page is none')
    if (bytes.readUInt32LE(at(0)) !== MAGIC) throw new Flaw('it is no database')
    if ((bytes.readUInt32LE(at(4)) & 0xffff) !== DATA_VERSION)
      throw new Flaw('its pages have another format')
    const pageSize = bytes.readUInt32LE(at(24))
    const isPower = (pageSize & (pageSize - 1)) === 0
    if (!isPower || pageSize < PAGE_SIZES.min || pageSize > PAGE_SIZES.max)
      throw new Flaw('its page size is none')
    return {
      pageSize,
      free: treeAt(bytes, at(24)),
      main: treeAt(bytes, at(72)),
      lastPage: pageNumber(bytes, at(120)),
      transaction: bytes.readBigUInt64LE(at(128)),
    }
  }

  #tree({ depth, root, pages, entries }: Tree, visitor: Visitor): void {
    const counts = { branch: 0, leaf: 0, overflow: 0, entries: 0 }
    if (root !== NO_PAGE) {
      if (depth < 1 || depth > DEPTH_MAX) throw new Flaw('a tree has no depth')
      this.#descend({ number: Number(root), level: depth, visitor, counts })
    }
    const isWhole =
      counts.entries === entries &&
      counts.branch === pages.branch &&
      counts.leaf === pages.leaf &&
      counts.overflow === pages.overflow
    if (!isWhole) throw new Flaw('a tree has lost a part')
  }

  /** `level`: 1 for leaves. */
  #descend({ number, level, visitor, counts }: Place): void {
    const page = this.#page(number, level === 1 ? LEAF : BRANCH)
    const nodes = this.#nodes(page, number)
    if (nodes.length === 0) throw new Flaw(`page ${number} is empty`)
    counts[level === 1 ? 'leaf' : 'branch'] += 1
    for (const [i, node] of nodes.entries()) {
      if (level > 1) {
        if (i > 0) visitor.separator(node) // The first one of a page bounds nothing.
        const child = node.size + node.flags * 2 ** 32
        this.#descend({ number: child, level: level - 1, visitor, counts })
        continue
      }
      if (node.flags === LARGE_VALUE) counts.overflow += this.#overflow(page, node)
      else if (node.flags !== 0) throw new Flaw(`page ${number} has a value of unknown kind`)
      counts.entries += 1
      visitor.entry(page, node)
    }
  }

  #page(number: number, kind: number): Buffer {
    this.#use(number, 1)
    const page = this.#read(number * this.#pageSize, this.#pageSize)
    this.#checkHeader(page, number, kind)
    return page
  }

  #checkHeader(page: Buffer, number: number, kind: number): void {
    if (pageNumber(page, 0) !== number) throw new Flaw(`page ${number} is another page`)
    if (page.readBigUInt64LE(8) > this.#transaction) throw new Flaw(`page ${number} is of later`)
    if ((page.readUInt16LE(18) & FLAGS_SEEN) !== kind)
      throw new Flaw(`page ${number} is of another kind`)
  }

  #nodes(page: Buffer, number: number): readonly Node[] {
    const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)]
    const room = this.#pageSize - HEADER_SIZE
    if (lower % 2 !== 0 || lower > upper || upper > room)
      throw new Flaw(`page ${number} has no table`)
    return Array.from({ length: lower / 2 }, (_, i) => {
      const offset = page.readUInt16LE(HEADER_SIZE + 2 * i)
      if (offset < upper || offset + NODE_HEADER_SIZE > room)
        throw new Flaw(`page ${number} points outside itself`)
      const at = HEADER_SIZE + offset
      const keySize = page.readUInt16LE(at + 6)
      const [flags, size] = [page.readUInt16LE(at + 4), page.readUInt32LE(at)]
      const isLeaf = (page.readUInt16LE(18) & LEAF) !== 0
      const inside = !isLeaf ? 0 : flags === LARGE_VALUE ? LARGE_SIZE : size
      const data = at + NODE_HEADER_SIZE + keySize
      if (data + inside > this.#pageSize) throw new Flaw(`page ${number} is overfull`)
      return { key: page.subarray(at + NODE_HEADER_SIZE, data), flags, at: data, size }
    })
  }

  /** How many pages the value takes. */
  #overflow(page: Buffer, { at, size }: Node): number {
    const number = pageNumber(page, at)
    const count = pageNumber(page, at + 16)
    if (count !== Math.floor((HEADER_SIZE - 1 + size) / this.#pageSize) + 1)
      throw new Flaw(`a value at page ${number} has another size`)
    this.#use(number, count)
    const head = this.#read(number * this.#pageSize, HEADER_SIZE)
    this.#checkHeader(head, number, OVERFLOW)
    if (head.readUInt32LE(20) !== count) throw new Flaw(`page ${number} has another length`)
    return count
  }

  #value(page: Buffer, { flags, at, size }: Node): Buffer {
    if (flags !== LARGE_VALUE) return page.subarray(at, at + size)
    return this.#read(pageNumber(page, at) * this.#pageSize + HEADER_SIZE, size)
  }

  /** A count, then pages: one number each, or a negative length and the first page; 0 is a hole. */
  #freePages(list: Buffer): void {
    const word = (i: number): bigint => {
      if (8 * i + 8 > list.length) throw new Flaw('a list of free pages is cut off')
      return list.readBigInt64LE(8 * i)
    }
    const count = Number(word(0))
    for (let i = 1; i <= count; i++) {
      const entry = word(i)
      const length = entry < 0n ? Number(-entry) : 1
      const start = entry < 0n ? Number(word(++i)) : Number(entry)
      if (start === 0) continue
      if (start < 2 || length < 1 || start + length - 1 > this.#lastPage)
        throw new Flaw('a free page is outside the file')
      for (let page = start; page < start + length; page++)
        if (this.#used.has(page)) throw new Flaw(`page ${page} is in use and free`)
    }
  }

  #use(number: number, count: number): void {
    if (number < 2 || number + count - 1 > this.#lastPage)
      throw new Flaw(`page ${number} is outside the file`)
    for (let page = number; page < number + count; page++) {
      if (this.#used.has(page)) throw new Flaw(`page ${page} is used twice`)
      this.#used.add(page)
    }
  }

  #read(offset: number, size: number): Buffer {
    const bytes = Buffer.alloc(size)
    if (offset + size > this.#size || readSync(this.#file, bytes, 0, size, offset) < size)
      throw new Flaw('the file is cut off')
    return bytes
  }
}

const treeAt = (bytes: Buffer, at: number): Tree => ({
  depth: bytes.readUInt16LE(at + 6),
  pages: {
    branch: pageNumber(bytes, at + 8),
    leaf: pageNumber(bytes, at + 16),
    overflow: pageNumber(bytes, at + 24),
  },
  entries: pageNumber(bytes, at + 32),
  root: bytes.readBigUInt64LE(at + 40),
})

const pageNumber = (bytes: Buffer, at: number): number =>
  bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32

/** Holds keys to their order: a key that is out of it would not be found. */
function inOrder(): Visitor {
  let last: { readonly key: Buffer; readonly isEntry: boolean } | undefined
  const visit = (key: Buffer, isEntry: boolean): void => {
    const order = last === undefined ? 1 : Buffer.compare(key, last.key)
    if (order < 0 || (order === 0 && last?.isEntry)) throw new Flaw('keys are out of order')
    last = { key, isEntry }
  }
  return { separator: ({ key }) => visit(key, false), entry: (_, { key }) => visit(key, true) }
}
