/**
 * Goal: seven nodes bear two killed and one that lies, find out who lies, and with three gone wait
 * and lose nothing. Method: one round of the campaign of nodes, by the built program (cli §5.16,
 * threshold §22.4; `npm run campaign:nodes` plays every fault).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { present } from '../../src/core/base/errors.ts'
import { Dice } from '../campaign/dice.ts'
import { faults } from '../campaign/faults.ts'
import { FaultyNodes } from '../campaign/faulty-nodes.ts'

/** Seconds of work of seven nodes, many of them on a machine with other work. */
const MINUTES_MS = 600_000

describe('seven nodes', () => {
  const subnet = new FaultyNodes(new Dice('slice'))
  beforeAll(() => subnet.start('worker'), MINUTES_MS)
  afterAll(() => subnet.home.remove())

  it(
    '§22.4 byzantine: with two killed and one whose shares are false, all is served, and it is named',
    async () => {
      const fault = present(
        faults.find(({ kind }) => kind === 'bad-share'),
        'it is one of them',
      )
      const { blamed, wrong } = await subnet.play(fault)
      expect(wrong).toEqual([])
      expect(blamed.some((reason) => fault.reasons?.includes(reason))).toBe(true)
    },
    MINUTES_MS,
  )

  it(
    '§22.4 stopped: with three killed a transfer waits, it is said for whom, and it is done once',
    async () => {
      expect((await subnet.playTooManyDown()).wrong).toEqual([])
      expect(subnet.judgeReserves()).toEqual([])
    },
    MINUTES_MS,
  )
})
