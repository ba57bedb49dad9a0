import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Conditions } from '../../../../src/core/btc/regtest/conditions.ts'

test('open IFs run as a list of them would', () => {
  const step = fc.constantFrom('open true', 'open false', 'toggle', 'close')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const conditions = new Conditions()
      const list: boolean[] = []
      for (const name of steps) {
        const last = list.at(-1)
        if (name === 'open true' || name === 'open false') {
          conditions.open(name === 'open true')
          list.push(name === 'open true')
        } else if (last !== undefined && name === 'toggle') {
          conditions.toggle()
          list[list.length - 1] = !last
        } else if (last !== undefined) {
          conditions.close()
          list.pop()
        }
        expect(conditions.depth).toBe(list.length)
        expect(conditions.running).toBe(!list.includes(false))
      }
    }),
    { numRuns: 500 },
  )
})
