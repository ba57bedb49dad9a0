/** Whether two states of the minter say the same, but for what no event tells. For tests only. */
import { toHex } from '../../../src/core/base/bytes.ts'
import type { View } from '../../../src/core/base/view.ts'
import type { State } from '../../../src/core/minter/state/state.ts'

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return toHex(value)
  if (value instanceof Map) return [...value].map(([key, each]) => [plain(key), plain(each)])
  if (value instanceof Set) return [...value].map(plain)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]))
}

/** The first part that differs. Orders count: they decide what the minter does next. */
export function difference(a: View<State>, b: View<State>): string | undefined {
  const { volatile: _, ...one } = a
  const { volatile: __, ...other } = b
  for (const [name, value] of Object.entries(one)) {
    if (name === 'coins' || name === 'availableUtxos') continue
    const [left, right] = [value, Object.entries(other).find(([key]) => key === name)?.[1]].map(
      (each) => JSON.stringify(plain(each)),
    )
    if (left !== right) return `${name} is ${left}, after the replay ${right}`
  }
  const coins = ({ availableUtxos }: View<State>) => [...availableUtxos.keys()].join()
  return coins(a) === coins(b) ? undefined : 'available coins, or their order'
}
