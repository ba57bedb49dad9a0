/**
 * Containers of secrets: they print as `[secret]` and open only for the arithmetic files. Source:
 * threshold §20.
 */

import { present } from '../base/errors.ts'
import type { Secret } from '../base/group.ts'

let contentOf: <T>(sealed: Sealed<T>) => T | undefined

/** Holds a secret of a node. Nothing reads it but `unseal`, whose importers a test lists. */
export class Sealed<T> {
  #content: T | undefined

  static {
    contentOf = (sealed) => sealed.#content
  }

  constructor(content: T) {
    this.#content = content
  }

  /** Lets go of the content; opening it afterwards is a bug. */
  erase(): void {
    this.#content = undefined
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  /** What Node prints for the object, wherever it is nested. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

/** The content, for arithmetic only. */
export const unseal = <T>(sealed: Sealed<T>): T =>
  present(contentOf(sealed), 'a secret is used after it was erased')

/** A share in the clear: one scalar of an unmasked sharing, value and mask of a masked one. */
export type Opening =
  | { readonly type: 'simple'; readonly value: bigint }
  | { readonly type: 'pedersen'; readonly value: bigint; readonly mask: bigint }

/** The same, of this node and for nobody else. */
export type SecretOpening =
  | { readonly type: 'simple'; readonly value: Secret }
  | { readonly type: 'pedersen'; readonly value: Secret; readonly mask: Secret }

export type SecretShare = Sealed<SecretOpening>
