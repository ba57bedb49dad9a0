/** A deeply read-only face of a state: machines decide over it, only `apply` writes. */
type Leaf =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Uint8Array
  | Uint32Array
  | BigUint64Array

export type View<T> = T extends Leaf
  ? T
  : T extends (...arguments_: never[]) => unknown
    ? T
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<K, View<V>>
      : T extends ReadonlySet<infer V>
        ? ReadonlySet<V>
        : { readonly [K in keyof T]: View<T[K]> } // Arrays and tuples stay what they are, read-only.
