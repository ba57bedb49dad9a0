/**
 * The place of one node: its store, and the host it lives in while it is up. It ends and begins
 * again here. Source: architecture §3.
 */
import { equalBytes } from '../../core/base/bytes.ts'
import type { CkbtcError } from '../../core/base/errors.ts'
import { Problem } from '../../core/base/errors.ts'
import type { MemberRecord } from '../../core/tecdsa/membership.ts'
import { memberId } from '../../core/tecdsa/membership.ts'
import type { HostEnd, NodeHost, OpenHost } from './node-host.ts'
import { hostGone } from './node-host.ts'
import type { FromNode, KeyNumber, Storage, ToNode } from './protocol.ts'
import { receivedProblem } from './protocol.ts'

/** Forty of them begin at one time on a slow machine. */
const OPENING_MS_MAX = 120_000

export type PlaceOptions = {
  readonly name: KeyNumber
  readonly storage: Storage
  readonly open: OpenHost
  /** Everything but what belongs to opening and ending. */
  readonly hear: (message: FromNode) => void
  readonly ended: (end: HostEnd) => void
}

type Wait = {
  readonly resolve: (record: MemberRecord | undefined) => void
  readonly reject: (error: Error) => void
}

export class NodePlace {
  readonly #options: PlaceOptions
  #host: NodeHost | undefined
  #wait: Wait | undefined
  #record: MemberRecord | undefined
  #port: number | undefined
  /** Resolves when the host before has let go of the store. */
  #ending: Promise<void> = Promise.resolve()

  constructor(options: PlaceOptions) {
    this.#options = options
  }

  get name(): KeyNumber {
    return this.#options.name
  }

  /** Where the node listens for its peers, if it does so itself. */
  get port(): number | undefined {
    return this.isOpen ? this.#port : undefined
  }

  get isOpen(): boolean {
    return this.#host !== undefined
  }

  /**
   * Opens a host, in which the node's keys are made or read; the node does not run yet. Undefined when
   * it is ended meanwhile. Throws the problem of its store, `HOST_DISK` too where another node's keys
   * lie, and `SUBNET_DOWN` when it takes too long.
   */
  async open(): Promise<MemberRecord | undefined> {
    await this.#ending
    const opened = new Promise<MemberRecord | undefined>((resolve, reject) => {
      this.#wait = { resolve, reject }
    })
    const host = this.#options.open({
      hear: (message) => {
        if (this.#host === host) this.#hear(message)
      },
      ended: (end) => {
        if (this.#host !== host) return
        this.#host = undefined
        this.#wait?.reject(end.type === 'gone' ? end.problem : end.error)
        this.#options.ended(end)
      },
    })
    this.#host = host
    const hung = hostGone(`it has not started within ${OPENING_MS_MAX / 1_000} seconds`)
    const timer = setTimeout(() => this.#wait?.reject(hung), OPENING_MS_MAX)
    host.tell({ type: 'create', storage: this.#options.storage })
    try {
      const record = await opened
      if (record === undefined) return undefined
      const known = this.#record ?? record
      if (!equalBytes(known.id, record.id)) throw otherKeys(this.name)
      this.#record = record
      return record
    } catch (error) {
      void this.kill()
      throw error
    } finally {
      clearTimeout(timer)
      if (this.#host === host) this.#wait = undefined
    }
  }

  tell(message: ToNode): void {
    this.#host?.tell(message)
  }

  /** Ends the node at once. */
  kill(): Promise<void> {
    return this.#end((host) => host.kill())
  }

  /** Ends it in good order. */
  close(): Promise<void> {
    return this.#end((host) => host.close())
  }

  #end(end: (host: NodeHost) => Promise<void>): Promise<void> {
    const host = this.#host
    this.#host = undefined
    this.#wait?.resolve(undefined)
    if (host !== undefined) this.#ending = end(host)
    return this.#ending
  }

  #hear(message: FromNode): void {
    if (message.type === 'keys') {
      const { signingKey, encryptionKey, port } = message
      this.#port = port
      this.#wait?.resolve({ id: memberId(signingKey), signingKey, encryptionKey })
    } else if (message.type === 'failed' && this.#wait !== undefined)
      this.#wait.reject(receivedProblem(message.problem))
    else this.#options.hear(message)
  }
}

const otherKeys = (name: KeyNumber): CkbtcError =>
  new Problem('HOST_DISK', `disk ${name + 1} holds the keys of another node than before`, {
    fix: 'put the disk back that the node had',
    command: 'ckbtc subnet logs',
  })
