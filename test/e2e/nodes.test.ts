/**
 * Goal: wherever nodes live, the subnet does its work, bears the loss of f of them, and waits for
 * more without losing anything. Method: the built program, with a home directory of its own; nodes
 * are ended and healed by its commands. Threshold §22.4: f + 1 crashed: no progress, nothing wrong;
 * progress on return.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Ran } from '../support/e2e-home.ts'
import { Home } from '../support/e2e-home.ts'

const BITCOIN = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'

/** A deposit, a transfer and a redemption, each to its end. */
function trade(home: Home): void {
  home.json('deposit --faucet 0.1btc --key dev0')
  home.json('transfer 0.01ckbtc --key dev0 --to dev1')
  expect(home.json('balance --key dev1').accounts[0].balance_sat).toBe(1_000_000)
  const redeemed = home.json(`redeem 0.05btc --key dev0 --to ${BITCOIN}`)
  expect(redeemed.state).toBe('done')
}

/** Asks again and again, with turns for everything else in between. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 50))
}

const latencyless = ({ latency_ms }: { readonly latency_ms: number | null }): boolean =>
  latency_ms === null

const states = (home: Home): readonly string[] =>
  home.json('subnet nodes').nodes.map(({ state }: { readonly state: string }) => state)

describe.each(['inline', 'process'])('nodes whose isolation is %s', (isolation) => {
  const home = new Home()
  beforeAll(() => {
    home.json(
      `subnet start --isolation ${isolation} --min-confirmations 1 --set minter.max-time-in-queue=1s`,
    )
  }, 120_000)
  afterAll(() => home.remove())

  it('bring a deposit, a transfer and a redemption to their ends', () => {
    expect(home.json('subnet status').isolation).toBe(isolation)
    trade(home)
  })

  it('go on from their disks when they were ended at once', () => {
    home.json('subnet kill-node 1')
    expect(states(home)).toEqual(['down', 'up', 'up', 'up'])
    home.json('transfer 0.001ckbtc --key dev0 --to dev1')
    expect(home.json('subnet heal-node 1').changed).toEqual([1])
    home.json('subnet kill-node 2')
    home.json('transfer 0.002ckbtc --key dev0 --to dev1')
    home.json('subnet heal-node --all')
    expect(states(home)).toEqual(['up', 'up', 'up', 'up'])
    expect(home.run('subnet logs').out).not.toMatch(/at fault|Diverged|error/)
  })
})

describe('nodes in processes of their own', () => {
  const home = new Home()
  beforeAll(() => {
    home.json('subnet start --isolation process')
  }, 120_000)
  afterAll(() => home.remove())

  const children = (): readonly number[] => {
    const { pid } = home.json('subnet status')
    const task = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return task.trim().split(' ').map(Number)
  }

  it('one that somebody kills is down, its disk outlives it, and the others sign', async () => {
    const before = children()
    expect(before).toHaveLength(4)
    process.kill(before[0] ?? 0, 'SIGKILL')
    await until(() => states(home).includes('failed'))
    const down = states(home).indexOf('failed') + 1
    expect(home.json('subnet nodes').nodes[down - 1].problem).toContain('SIGKILL')
    expect(home.json(`signer sign --hash ${'ab'.repeat(32)}`).nodes).not.toContain(down)
    expect(home.json(`subnet heal-node ${down}`).changed).toEqual([down])
    expect(children()).toHaveLength(4)
  })

  it('end when it is killed, and go on from their disks with the next start', () => {
    const { pid, root_key } = home.json('subnet status')
    const pids = children()
    process.kill(pid, 'SIGKILL')
    expect(home.json('subnet start').root_key).toBe(root_key)
    expect(home.json('subnet status').isolation).toBe('process')
    expect(pids.filter((child) => existsSync(`/proc/${child}`))).toEqual([])
  })

  it('one that hangs keeps the subnet from nothing, and ends with it', async () => {
    const [pid, pids] = [home.json('subnet status').pid, children()]
    process.kill(pids[0] ?? 0, 'SIGSTOP')
    await until(() => home.json('subnet nodes').nodes.some(latencyless))
    expect(home.json(`signer sign --hash ${'ab'.repeat(32)}`).nodes).toHaveLength(2)
    process.kill(pid, 'SIGTERM')
    await until(() => !existsSync(`/proc/${pid}`))
    expect(pids.filter((child) => existsSync(`/proc/${child}`))).toEqual([])
  })

  it('of a subnet that passes end with it, and leave nothing behind', () => {
    home.json('subnet start --isolation process --nodes 1 --ephemeral')
    const pids = children()
    home.json('subnet stop')
    expect(pids.filter((child) => existsSync(`/proc/${child}`))).toEqual([])
    expect(readdirSync(join(home.path, 'run'))).toEqual([])
  })
})

const breaking = fileURLToPath(new URL('../support/e2e-breaking-node.mjs', import.meta.url))

describe.each(['worker', 'process'])('a node that breaks, isolation %s', (isolation) => {
  const home = new Home()
  const order = join(home.path, 'break')
  beforeAll(() => {
    // A heap that is full soon.
    const options = `--import=${breaking} --max-old-space-size=200`
    const { exit, out } = home.run(`subnet start --isolation ${isolation} --json`, {
      NODE_OPTIONS: options,
      CKBTC_TEST_BREAK: order,
    })
    expect({ exit, out }).toMatchObject({ exit: 0 })
  }, 120_000)
  afterAll(() => home.remove())

  it.each([
    ['throw', 'TypeError: broken on purpose'],
    ['reject', 'RangeError: far away'],
    ['exit', 'ended'],
    ['memory', isolation === 'worker' ? 'no memory left' : 'SIG'],
  ])('by %s is down and says why, the others sign, and it comes back', async (way, words) => {
    // Whole at once: a rename.
    writeFileSync(`${order}.new`, way)
    renameSync(`${order}.new`, order)
    await until(() => states(home).includes('failed'))
    const down = states(home).indexOf('failed') + 1
    const { problem } = home.json('subnet nodes').nodes[down - 1]
    expect(problem).toContain(words)
    expect(home.json('subnet status')).toMatchObject({ problems: [{ node: down, problem }] })
    expect(home.run('subnet status').out).toContain(problem)
    expect(home.json(`signer sign --hash ${'ab'.repeat(32)}`).nodes).not.toContain(down)
    expect(home.json('subnet heal-node --all').changed).toEqual([down])
    expect(home.json('subnet status').problems).toEqual([])
  })
})

describe('nodes in threads of their own, on disks', () => {
  const home = new Home()
  let transfer: Promise<Ran> | undefined
  beforeAll(() => {
    home.json('subnet start --min-confirmations 1 --set minter.max-time-in-queue=1s')
    home.json('deposit --faucet 0.1btc --key dev0')
  }, 120_000)
  afterAll(() => home.remove())

  it('one of four is not missed', () => {
    const { exit, out, err } = home.run('subnet kill-node 4')
    expect({ exit, err }).toEqual({ exit: 0, err: '' })
    expect(out).toBe('✓ 3 of 4 nodes up. Ordering and signing need 3: nothing waits.\n')
    expect(home.json('subnet status').waiting).toBeNull()
    expect(home.json(`signer sign --hash ${'ab'.repeat(32)}`).nodes).not.toContain(4)
  })

  it('without another one calls wait, and it is said for whom', async () => {
    const { out, err } = home.run('subnet kill-node 3')
    expect(err).toBe('ckbtc: note: without it nothing is ordered or signed\n')
    expect(out.split('\n')[0]).toBe(
      '! 2 of 4 nodes up. Ordering and signing need 3: transfers and redemptions will wait, nothing is lost.',
    )
    transfer = home.start('transfer 0.01ckbtc --key dev0 --to dev1 --json').end
    await until(() => home.json('subnet status').waiting.calls === 1)
    expect(home.json('subnet status').waiting).toEqual({
      calls: 1,
      signatures: 0,
      nodes_missing: 1,
      nodes_down: [3, 4],
    })
    expect(home.run('subnet status').out).toMatch(
      /^Waiting +1 call waits for 1 of the nodes 3, 4\n +ckbtc subnet heal-node --all$/m,
    )
    expect(home.json('subnet nodes').nodes[2]).toMatchObject({ state: 'down', latency_ms: null })
  })

  it('what waited is done, once, when they are back', async () => {
    expect(home.json('subnet heal-node --all')).toMatchObject({ changed: [3, 4], goes_on: true })
    expect(JSON.parse((await transfer)?.out ?? '')).toMatchObject({ ok: true })
    expect(home.json('balance --key dev1').accounts[0].balance_sat).toBe(1_000_000)
    expect(home.run('subnet logs').out).not.toMatch(/at fault|Diverged|error/)
  })

  it.each([
    ['subnet kill-node 5', 2, 'USAGE_INVALID'],
    ['subnet kill-node 0', 2, 'USAGE_INVALID'],
    ['subnet kill-node', 2, 'USAGE_INVALID'],
    ['subnet heal-node', 2, 'USAGE_INVALID'],
    ['subnet heal-node 1 --all', 2, 'USAGE_INVALID'],
    ['subnet nodes --network testnet4', 10, 'RAIL_LOCAL_ONLY'],
  ])('refuses "%s" with status %d', (line, exit, code) => {
    const ran = home.run(`${line} --json`)
    expect({ exit: ran.exit, code: JSON.parse(ran.out).error.code }).toEqual({ exit, code })
  })
})

describe('seven nodes, one of which is down and another one lies', () => {
  const home = new Home()
  beforeAll(() => {
    home.json('subnet start --nodes 7 --ephemeral')
  }, 240_000)
  afterAll(() => home.remove())

  const sign = () => home.json(`signer sign --hash ${'ab'.repeat(32)}`)

  it('sign, find out who lies, and forgive', async () => {
    home.json('subnet kill-node 7')
    const { out } = home.run('subnet corrupt-node 1 --fault bad-complaint')
    expect(out).toContain('Node 1 lies from now on.')
    expect(out).toContain('✓ 6 of 7 nodes up. Ordering and signing need 5: nothing waits.')
    expect(sign().nodes).not.toContain(7)
    await until(() => home.json('subnet nodes').nodes[0].faults > 0)
    const { nodes } = home.json('subnet nodes')
    expect(nodes[0]).toMatchObject({ state: 'up', lie: 'bad-complaint' })
    expect(nodes.slice(1).every(({ faults }: { faults: number }) => faults === 0)).toBe(true)
    expect(home.run('subnet logs').out).toContain('node 1 is at fault: Invalid')
    expect(home.json('subnet heal-node --all').changed).toEqual([1, 7])
    sign()
    expect(home.json('subnet nodes').nodes[0].lie).toBeNull()
  })

  it.each([
    ['subnet corrupt-node 1', 'USAGE_INVALID'],
    ['subnet corrupt-node 1 --fault rude', 'USAGE_INVALID'],
    ['subnet corrupt-node 1 --fault slow', 'USAGE_INVALID'],
    ['subnet corrupt-node 1 --fault slow=2', 'USAGE_INVALID'],
    ['subnet corrupt-node 1 --fault slow=0s', 'USAGE_INVALID'],
    ['subnet corrupt-node 1 --fault slow=11m', 'USAGE_INVALID'],
    ['subnet corrupt-node 8 --fault silent', 'USAGE_INVALID'],
  ])('refuse "%s"', (line, code) => {
    const ran = home.run(`${line} --json`)
    const { error } = JSON.parse(ran.out)
    expect({ exit: ran.exit, code: error.code }).toEqual({ exit: 2, code })
    expect(error.message).not.toContain('does not take this request')
  })

  it('say so when more of them are faulty than can be borne', () => {
    home.json('subnet corrupt-node 1 --fault slow=1s')
    home.json('subnet corrupt-node 2 --fault silent')
    const { out } = home.run('subnet kill-node 3')
    expect(out).toContain('! 3 of 7 nodes down or lying, 2 tolerated: nothing is promised.')
    expect(home.json('subnet nodes').nodes[0].lie).toBe('slow=1s')
    expect(home.json('subnet status').nodes_lying).toEqual([1, 2])
    expect(home.run('subnet status').out).toContain(
      '6 of 7 up, tolerates 2 faulty, made to lie: 1, 2',
    )
    const { warnings } = JSON.parse(home.run('subnet corrupt-node 4 --fault random --json').out)
    expect(warnings.map(({ code }: { readonly code: string }) => code)).toEqual(['NODES_FAULTY'])
    expect(home.run('subnet kill-node 4 5 --quiet').out).toBe('4 5\n')
    const missing = JSON.parse(home.run('subnet kill-node 5 --json').out)
    expect(missing.warnings).toMatchObject([{ code: 'NODES_MISSING' }])
  })
})
