/**
 * Goal: an older copy of one node's directory, put back while the others went on, costs nothing: the
 * node notices, is taken in again, and is needed. Method: the built program; threshold §§18.4, 22.7.
 */
import { cpSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Home } from '../support/e2e-home.ts'

describe('an older copy of one of four nodes', () => {
  const home = new Home()
  const disks = join(home.path, 'state', 'subnet')
  beforeAll(() => {
    home.json('subnet start --isolation worker --min-confirmations 1')
    home.json('deposit --faucet 0.1btc --key dev0')
  }, 240_000)
  afterAll(() => home.remove())

  /** The directory of a node that is down: nobody has it open. */
  const closedDisk = (): string => {
    const { pid } = home.json('subnet status')
    const folder = `/proc/${pid}/fd`
    const open = readdirSync(folder).map((name) => {
      try {
        return readlinkSync(join(folder, name))
      } catch {
        return '' // Closed meanwhile.
      }
    })
    const [closed = ''] = readdirSync(disks).filter(
      (name) => name.startsWith('node-') && !open.some((path) => path.includes(`/${name}/`)),
    )
    expect(closed).not.toBe('')
    return join(disks, closed)
  }

  /** Puts the copy in place of the node's directory while the others go on. */
  const putBack = (): void => {
    home.json('subnet kill-node 1')
    rmSync(disk, { recursive: true })
    cpSync(copy, disk, { recursive: true })
    home.run('subnet heal-node 1')
  }
  const copy = join(home.path, 'copy')
  let disk = ''

  it('is noticed by its node, which is taken in again and needed', () => {
    home.json('subnet kill-node 1')
    disk = closedDisk()
    cpSync(disk, copy, { recursive: true })
    home.json('subnet heal-node 1')
    home.json('transfer 0.001ckbtc --key dev0 --to dev1')
    putBack()
    home.json('transfer 0.002ckbtc --key dev0 --to dev1')
    home.untilSays('subnet logs', 'RolledBack')
    home.json('subnet kill-node 2')
    home.json('transfer 0.004ckbtc --key dev0 --to dev1')
    home.json(`signer sign --hash ${'ab'.repeat(32)}`)
    expect(home.json('balance --key dev1').accounts[0].balance_sat).toBe(700_000)
    expect(home.run('subnet logs').out).not.toMatch(/Diverged|error|Equivocation/)
  }, 240_000)

  it('from before the subnet started again keeps its node down, and says what to do', () => {
    home.json('subnet stop')
    home.json('subnet start')
    // Needs the node that had returned: lives end with their time line.
    home.json('subnet kill-node 2')
    home.json('transfer 0.001ckbtc --key dev0 --to dev1')
    home.json('subnet heal-node 2')
    putBack()
    home.untilSays('subnet logs', 'is older than this start of the subnet')
    home.json('transfer 0.001ckbtc --key dev0 --to dev1')
    expect(home.json('balance --key dev1').accounts[0].balance_sat).toBe(900_000)
  }, 240_000)
})
