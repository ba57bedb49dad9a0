/**
 * Goal: the local subnet as a background process keeps the promises of cli §§3.14, 5.16 and 5.17,
 * however it is started and ended. Method: the built program, with a home directory of its own.
 */

import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromBigEndian, fromHex, utf8 } from '../../src/core/base/bytes.ts'
import { Home, launcher } from '../support/e2e-home.ts'
import { wrongLines } from '../support/transcript-verifier.ts'

/** Ended, even if its parent has not noticed yet. */
function gone(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return true
  }
  const status = join('/proc', `${pid}`, 'stat')
  return existsSync(status) && /\) Z /.test(readFileSync(status, 'utf8'))
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('a subnet in the background', () => {
  const home = new Home()
  let pid = 0
  let url = ''

  beforeAll(() => {
    const data = home.json('subnet start --nodes 1 --ephemeral')
    pid = data.pid
    url = data.url
  })
  afterAll(() => home.remove())

  it('shows itself as started', () => {
    expect(home.json('subnet status')).toMatchObject({
      state: 'running',
      pid,
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      root_key: expect.stringMatching(/^308182[0-9a-f]{260}$/),
      nodes: 1,
      tolerates: 0,
      ledger_id: expect.stringMatching(/-cai$/),
      bitcoin_height: 101,
      health: 'healthy',
      mining: 'auto',
    })
  })

  it('names five accounts that every local subnet has', () => {
    const { accounts } = home.json('subnet status')
    expect(accounts.map(({ name }: { name: string }) => name)).toEqual([
      'dev0',
      'dev1',
      'dev2',
      'dev3',
      'dev4',
    ])
  })

  it('answers clients of the Internet Computer', async () => {
    const response = await fetch(`${url}/api/v2/status`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/cbor')
  })

  it('has nothing on that port that changes anything', async () => {
    for (const path of ['mine', 'faucet', 'stop', 'control/mine'])
      expect((await fetch(`${url}/${path}`, { method: 'POST', body: '{}' })).ok).toBe(false)
    expect(home.json('bitcoin tip').height).toBe(101)
  })

  it('keeps its files to its owner', () => {
    const mode = (...path: readonly string[]) => statSync(join(home.path, ...path)).mode & 0o777
    expect(mode('run')).toBe(0o700)
    expect(mode('run', 'subnet.json')).toBe(0o600)
    expect(mode('run', 'control.sock')).toBe(0o600)
    expect(mode('state', 'subnet-log')).toBe(0o700)
  })

  it('is started once, however often and however soon it is asked for', async () => {
    const again = home.run('subnet start')
    expect(again).toMatchObject({ exit: 0, out: expect.stringContaining('running already') })
    expect(home.json('subnet start')).toMatchObject({ pid, already_running: true })
    expect(again.err).not.toContain('warning: the subnet was running already')
    expect(home.run('subnet start --nodes 4').err).toContain('the options change nothing')
  })

  it.each([
    ['dfx', `"providers": [\n      "http://127.0.0.1:`],
    ['icp', 'root-key: 308182'],
    ['js', 'HttpAgent.create({ host: '],
    ['env', 'export CKBTC_URL=http://127.0.0.1:'],
  ])('prints what %s needs', (tool, line) => {
    expect(home.run(`subnet status --print-config ${tool}`).out).toContain(line)
  })

  it('mines, pays, tells and reorganises', () => {
    const { height } = home.json('bitcoin mine 2')
    expect(height).toBe(103)
    const { txid, amount_sat: amount } = home.json('bitcoin faucet 0.25btc --to dev0')
    expect(amount).toBe(25_000_000)
    const tx = home.json(`bitcoin tx ${txid}`)
    expect(tx.outputs).toContainEqual(expect.objectContaining({ name: 'deposit of dev0' }))
    expect(tx.inputs).toContainEqual(expect.objectContaining({ name: 'faucet' }))
    const { unconfirmed_txids: unconfirmed } = home.json('bitcoin reorg 8')
    expect(unconfirmed).toEqual([txid])
  })

  it('confirms a payment by itself, and then rests', async () => {
    const { txid } = home.json('bitcoin faucet 1000sat --to dev1 --no-mine')
    await until(() => home.json(`bitcoin tx ${txid}`).confirmations >= 6)
    expect(home.json(`bitcoin tx ${txid}`).confirmations).toBe(6)
  }, 30_000)

  it('pays an account that nobody has named to the minter, and ckBTC comes by itself', async () => {
    const to = 'dev3'
    const { address, amount_sat: amount } = home.json(`bitcoin faucet 0.1btc --to ${to}`)
    expect(address).toMatch(/^bcrt1q/)
    const balance = () => BigInt(home.json(`balance ${to}`).accounts[0].balance_sat)
    await until(() => balance() > 0n)
    expect(balance()).toBeLessThanOrEqual(BigInt(amount))
  }, 60_000)

  it('lets the operator set a fee level and flag a coin', () => {
    expect(home.json('bitcoin fee 80satvb')).toMatchObject({ rate_sat_per_vb: 80, mode: 'set' })
    expect(home.json('bitcoin fee auto')).toMatchObject({ rate_sat_per_vb: null, mode: 'auto' })
    const target = `${'ab'.repeat(32)}:0`
    expect(home.json(`bitcoin flag ${target}`)).toEqual({ target, flagged: true })
    expect(home.json(`bitcoin flag ${target} --remove`)).toEqual({ target, flagged: false })
    const pending = { mode: 'pending', times: 3 }
    expect(home.json('bitcoin flag --mode pending --times 3')).toEqual(pending)
    expect(home.json('bitcoin flag --mode normal')).toEqual({ mode: 'normal', times: null })
  })

  it('signs with a key that the nodes make together when it is asked for', () => {
    const hash = 'ab'.repeat(32)
    const {
      signature,
      public_key: key,
      nodes,
    } = home.json(`signer sign --hash ${hash} --account dev0`)
    expect(nodes).toEqual([1])
    expect(home.json('signer public-key --account dev0').public_key).toBe(key)
    expect(home.json('signer info').operator_keys.ecdsa.key_id).toBe('test_key_1')
    const verify = (of: string) =>
      home.run(`signer verify --hash ${of} --signature ${signature} --public-key ${key}`)
    expect(verify(hash).exit).toBe(0)
    expect(verify('ac'.repeat(32))).toMatchObject({
      exit: 8,
      err: expect.stringContaining('(SIGNATURE_INVALID)'),
    })
  })

  it('deals its keys anew, and signs under the same ones', () => {
    const keyOf = () => home.json('signer public-key --account dev0').public_key
    const [key, { key_version: before }] = [keyOf(), home.json('signer info')]
    expect(home.json('signer refresh')).toMatchObject({ key_version: before + 1, nodes_up: [1] })
    expect(home.json('signer info')).toMatchObject({ key_version: before + 1, refresh: 'none' })
    expect(home.json(`signer sign --hash ${'ab'.repeat(32)} --account dev0`).public_key).toBe(key)
    expect(keyOf()).toBe(key)
  })

  it.each([
    ['ecdsa', 'ecdsa', ''],
    ['bip340', 'bip340', ''],
    ['bip340 and a root', 'bip340', `--taproot-root ${'07'.repeat(32)}`],
    ['ed25519', 'ed25519', ''],
  ] as const)('signs a message with %s, as an independent library finds', (_, scheme, root) => {
    const letter = join(home.path, 'letter.txt')
    writeFileSync(letter, 'a letter')
    const said = `--scheme ${scheme} --message ${letter} ${root}`.trim()
    const made = home.json(`signer sign ${said} --account dev1`)
    const [signature, key] = [fromHex(made.signature), fromHex(made.public_key)]
    expect(home.json(`signer public-key --scheme ${scheme} --account dev1`).public_key).toBe(
      made.public_key,
    )
    const message = utf8('a letter')
    const isGood = {
      ecdsa: () => secp256k1.verify(signature, message, key),
      bip340: () => schnorr.verify(signature, message, outputKey(key, made.taproot_root)),
      ed25519: () => ed25519.verify(signature, message, key, { zip215: false }),
    }
    expect(isGood[scheme]()).toBe(true)
    const verify = (change: string) =>
      home.run(
        `signer verify ${change} --signature ${made.signature} --public-key ${made.public_key}`,
      )
    expect(verify(said)).toMatchObject({ exit: 0 })
    writeFileSync(letter, 'another letter')
    expect(verify(said)).toMatchObject({
      exit: 8,
      err: expect.stringContaining('(SIGNATURE_INVALID)'),
    })
  })

  it.each(['ecdsa', 'bip340', 'ed25519'])('tells how it signed with %s', (scheme) => {
    const [letter, file] = [join(home.path, 'letter.txt'), join(home.path, `${scheme}.json`)]
    writeFileSync(letter, 'a letter')
    const line = `signer sign --scheme ${scheme} --message ${letter} --transcript ${file}`
    const made = home.json(line)
    expect(made).toMatchObject({ nodes: [1], blamed: [], transcript: file })
    for (const measured of [made.rounds, made.bytes, ...Object.values(made.ms)])
      expect(measured).toBeGreaterThanOrEqual(0)
    const told = readFileSync(file, 'utf8')
    expect(wrongLines(JSON.parse(told))).toEqual([])
    expect(JSON.parse(told)).toMatchObject({ signature: made.signature, ms: made.ms })
    expect(home.run(line)).toMatchObject({
      exit: 2,
      err: expect.stringContaining('exists already'),
    })
    expect(readFileSync(file, 'utf8')).toBe(told)
  })

  it('signs nothing when the transcript has no place', () => {
    const [file, link] = [join(home.path, 'a-file'), join(home.path, 'a-link')]
    writeFileSync(file, 'kept')
    symlinkSync(join(home.path, 'nowhere'), link)
    for (const place of [file, link, home.path, join(file, 'x'), '/nonexistent/x']) {
      const ran = home.run(`signer sign --hash ${'ab'.repeat(32)} --transcript ${place}`)
      expect(ran).toMatchObject({ exit: 2, out: '' })
      expect(ran.err).toContain('(USAGE_INVALID)')
      expect(ran.err).not.toContain('Signing')
    }
    expect(readFileSync(file, 'utf8')).toBe('kept')
    expect(existsSync(join(home.path, 'nowhere'))).toBe(false)
  })

  it('measures as many signatures as it was asked for', () => {
    const found = home.json('signer bench --count 3 --concurrency 2 --scheme ed25519 --warm')
    expect(found).toMatchObject({
      scheme: 'ed25519',
      count: 3,
      done: 3,
      concurrency: 2,
      warm: true,
      interrupted: false,
    })
    for (const phase of ['presign', 'sign', 'combine', 'order', 'total']) {
      const { count, min, median, p95, p99, max } = found.phases[phase]
      expect(count).toBe(3)
      const ranks = [min, median, p95, p99, max]
      expect(ranks).toEqual(ranks.toSorted((a, b) => a - b))
    }
    const counted = found.histogram.reduce(
      (sum: number, bin: { count: number }) => sum + bin.count,
      0,
    )
    expect(counted).toBe(3)
    expect(found.runs).toHaveLength(3)
    expect(found.machine).toMatchObject({ nodes: 1, node: process.version })
  })

  it.each([
    ['for people', '', /^Signatures .*, stopped before 10000$/m],
    ['for programs', ' --json', /"interrupted":true/],
  ])('shows at Ctrl-C what it has measured, %s', async (_, form, shown) => {
    const made = (): number => home.json('subnet nodes').signatures
    const before = made()
    const { pid, end } = home.start(`signer bench --count 10000${form}`)
    // The second is asked for when the first has been measured.
    await until(() => made() > before + 1)
    if (pid !== undefined) process.kill(pid, 'SIGINT')
    const { exit, out } = await end
    expect(exit).toBe(130)
    expect(out).toMatch(shown)
    if (form !== '') expect(out.trimEnd().split('\n')).toHaveLength(1)
  })

  /** BIP341 in the library's own words. */
  function outputKey(key: Uint8Array, root: string | null): Uint8Array {
    const internal = key.slice(1)
    if (root === null) return internal
    const { lift_x, taggedHash } = schnorr.utils
    const tweak = fromBigEndian(taggedHash('TapTweak', internal, fromHex(root)))
    const even = lift_x(fromBigEndian(internal))
    return even.add(schnorr.Point.BASE.multiply(tweak)).toBytes(true).slice(1)
  }

  it.each([
    ['signer sign --scheme ed448 --message -', 2, 'USAGE_INVALID'],
    ['signer sign --scheme ed25519', 2, 'USAGE_INVALID'],
    ['signer sign --scheme bip340 --message - --taproot-root 00', 2, 'USAGE_INVALID'],
    [`signer sign --hash ${'00'.repeat(32)} --taproot-root ${'00'.repeat(32)}`, 2, 'USAGE_INVALID'],
    ['signer public-key --scheme x', 2, 'USAGE_INVALID'],
    ['signer sign --hash 00', 2, 'USAGE_INVALID'],
    ['signer bench --count 0', 2, 'USAGE_INVALID'],
    ['signer bench --concurrency 21', 2, 'USAGE_INVALID'],
    ['signer bench --scheme x', 2, 'USAGE_INVALID'],
    [`signer sign --hash ${'00'.repeat(32)} --nodes 1,1`, 2, 'USAGE_INVALID'],
    [`signer sign --hash ${'00'.repeat(32)} --nodes 0`, 2, 'USAGE_INVALID'],
    [`signer sign --hash ${'00'.repeat(32)} --nodes 2`, 2, 'USAGE_INVALID'],
    [`signer sign --hash ${'00'.repeat(32)} --transcript /nonexistent/a`, 2, 'USAGE_INVALID'],
    ['signer sign', 2, 'USAGE_INVALID'],
    ['signer sign --message /nonexistent', 2, 'USAGE_INVALID'],
    [`signer sign --scheme bip340 --hash ${'00'.repeat(32)}`, 2, 'USAGE_INVALID'],
    ['signer public-key --account nobody', 2, 'ACCOUNT_INVALID'],
    ['signer info --network testnet4', 10, 'RAIL_LOCAL_ONLY'],
    ['bitcoin faucet 10000 --to dev0', 2, 'AMOUNT_NO_UNIT'],
    ['bitcoin faucet 1btc', 2, 'USAGE_INVALID'],
    ['bitcoin faucet 1btc --to nobody', 2, 'BTC_BAD_ADDRESS'],
    ['bitcoin faucet 1btc --to 2vxsx-fae', 2, 'ACCOUNT_INVALID'],
    ['bitcoin faucet 1btc --to bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 2, 'BTC_WRONG_NETWORK'],
    ['bitcoin faucet 100sat --to dev0', 7, 'BTC_REFUSED'],
    ['bitcoin mine 0', 2, 'USAGE_INVALID'],
    ['bitcoin reorg 100000', 2, 'USAGE_INVALID'],
    ['bitcoin reorg 9999', 7, 'BTC_REFUSED'],
    ['bitcoin send 00', 7, 'BTC_REFUSED'],
    ['bitcoin send xyz', 2, 'USAGE_INVALID'],
    ['bitcoin tx 00', 2, 'USAGE_INVALID'],
    [`bitcoin tx ${'00'.repeat(32)}`, 7, 'BTC_REFUSED'],
    ['bitcoin flag dev0', 2, 'USAGE_INVALID'],
    ['bitcoin flag dev0 --mode normal', 2, 'USAGE_INVALID'],
    ['bitcoin flag dev0 --times 3', 2, 'USAGE_INVALID'],
    ['bitcoin write-off 7', 2, 'USAGE_INVALID'],
    [`bitcoin write-off ${'07'.repeat(32)}:0`, 7, 'MINTER_REFUSED'],
    [`bitcoin adopt ${'07'.repeat(32)}:0`, 7, 'MINTER_REFUSED'],
    ['bitcoin fee 0.5satvb', 2, 'USAGE_INVALID'],
    ['bitcoin tip --network ic', 10, 'RAIL_LOCAL_ONLY'],
    ['subnet start --set minter.mood=bad', 2, 'USAGE_INVALID'],
  ])('refuses "%s" with status %d', (line, exit, code) => {
    const ran = home.run(`${line} --json`)
    expect(JSON.parse(ran.out).error.code).toBe(code)
    expect(ran.exit).toBe(exit)
  })

  it('writes a log that can be read and filtered', () => {
    expect(home.run('subnet logs').out).toMatch(/subnet {3}the subnet listens at http/)
    expect(home.run('subnet logs --node 1').out).not.toContain('listens')
    expect(home.run('subnet logs --json').out.split('\n')[0]).toMatch(
      /^\{"schema":"ckbtc.subnet-log/,
    )
  })

  it('lets its log be followed until Ctrl-C', async () => {
    const { pid: follower, output, end } = home.start('subnet logs --follow --json')
    await until(() => output().includes('listens'))
    home.json(`signer sign --hash ${'cd'.repeat(32)}`)
    await until(() => output().split('combined a signature').length >= 3)
    process.kill(follower ?? 0, 'SIGINT')
    expect(await end).toMatchObject({ exit: 130, err: '' })
  })

  it('ends in good order when it is asked to, and is gone then', () => {
    const stopped = home.run('subnet stop')
    expect(stopped).toMatchObject({ exit: 0, out: 'Subnet stopped; nothing is kept.\n' })
    expect(gone(pid)).toBe(true)
    expect(readdirSync(join(home.path, 'run'))).toEqual([])
    expect(home.run('subnet logs').out).toContain('ended in good order')
  })

  it('that was stopped is not stopped twice, and is missed by who needs it', () => {
    expect(home.run('subnet stop')).toMatchObject({ exit: 0, out: 'No subnet was running.\n' })
    const { exit, err } = home.run('bitcoin tip')
    expect(exit).toBe(11)
    expect(err).toContain('(SUBNET_DOWN)')
    expect(err).toContain('    ckbtc subnet start\n')
  })
})

describe('a subnet that was killed', () => {
  const home = new Home()
  afterAll(() => home.remove())

  it('leaves nothing that keeps the next one from starting', async () => {
    const first = home.json('subnet start --nodes 1 --ephemeral')
    process.kill(first.pid, 'SIGKILL')
    await until(() => gone(first.pid))
    expect(existsSync(join(home.path, 'run', 'subnet.json'))).toBe(true)
    expect(home.run('subnet status').exit).toBe(11)
    const second = home.json('subnet start --nodes 1 --ephemeral')
    expect(second).toMatchObject({ state: 'running', already_running: false })
    expect(second.pid).not.toBe(first.pid)
  })

  it('by SIGTERM ends in good order', async () => {
    const { pid } = home.json('subnet status')
    process.kill(pid, 'SIGTERM')
    await until(() => gone(pid))
    expect(existsSync(join(home.path, 'run', 'subnet.json'))).toBe(false)
  })
})

describe('two starts at the same time', () => {
  const home = new Home()
  afterAll(() => home.remove())

  it('make one subnet, and both say which', async () => {
    const starts = [1, 2].map(() => home.start('subnet start --nodes 1 --ephemeral --json').end)
    const documents = (await Promise.all(starts)).map(({ out }) => JSON.parse(out))
    expect(documents.map(({ ok }) => ok)).toEqual([true, true])
    const [one, two] = documents.map(({ data }) => data)
    expect(one.pid).toBe(two.pid)
    expect([one.already_running, two.already_running].sort()).toEqual([false, true])
  })
})

describe('a start that cannot be', () => {
  const home = new Home()
  afterAll(() => home.remove())

  it('names a port that is taken, and leaves nothing behind', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const { exit, err } = await home.start(`subnet start --nodes 1 --ephemeral --port ${port}`).end
    server.close()
    expect(err).toContain(`port ${port} of 127.0.0.1 is taken`)
    expect(err).toContain('(HOST_PORT_BUSY)')
    expect(exit).toBe(11)
    expect(readdirSync(join(home.path, 'run'))).toEqual([])
    expect(readdirSync(join(home.path, 'state'))).toEqual(['subnet-log'])
  })
})

describe('subnet reset', () => {
  const home = new Home()
  afterAll(() => home.remove())

  it('asks, and without anybody to ask does nothing', () => {
    const { pid } = home.json('subnet start --nodes 1 --ephemeral')
    expect(home.run('subnet reset --json')).toMatchObject({ exit: 3 })
    expect(home.run('subnet reset').err).toContain('(CONSENT_REQUIRED)')
    expect(gone(pid)).toBe(false)
    expect(home.run('subnet reset --yes')).toMatchObject({ exit: 0 })
    expect(gone(pid)).toBe(true)
    expect(home.run('subnet reset').out).toBe('There was nothing to discard.\n')
  })
})

describe('subnet exec', () => {
  const home = new Home()
  const temporary = join(home.path, 'tmp')
  afterAll(() => home.remove())

  const exec = (...program: readonly string[]) =>
    home.runWords(['subnet', 'exec', '--nodes', '1', '--', ...program])

  it('gives the program a subnet of its own and passes on its exit status', () => {
    const script = `
      test "$CKBTC_NETWORK" = local && test -n "$CKBTC_LEDGER_ID" && test -n "$CKBTC_MINTER_ID" &&
      test "$(wc -c < "$CKBTC_ROOT_KEY_FILE")" = 267 &&
      "${process.execPath}" "${launcher}" subnet status --quiet | grep -qx "$CKBTC_URL" &&
      echo "$CKBTC_HOME" && exit 7`
    const { exit, out } = exec('sh', '-c', script)
    expect(exit).toBe(7)
    expect(out.trim()).not.toBe(home.path)
    expect(existsSync(out.trim())).toBe(false)
    expect(existsSync(join(home.path, 'run'))).toBe(false)
  })

  it('takes the ids of the Internet Computer for programs that have them built in', () => {
    const words = ['subnet', 'exec', '--nodes', '1', '--ids', 'mainnet', '--']
    const { exit, out, err } = home.runWords([...words, 'sh', '-c', 'echo $CKBTC_LEDGER_ID'])
    expect(exit).toBe(0)
    expect(out).toBe('mxzaz-hqaaa-aaaar-qaada-cai\n')
    expect(err).toContain('test keys only')
  })

  it('says that there is no such program, and when none was named', () => {
    expect(exec('/nonexistent')).toMatchObject({ exit: 2 })
    expect(home.run('subnet exec')).toMatchObject({ exit: 2 })
  })

  it('passes on a signal, waits for the program and leaves nothing behind', async () => {
    const mark = join(home.path, 'mark')
    const script = join(home.path, 'program.sh')
    writeFileSync(
      script,
      `trap 'exit 5' TERM\necho "$CKBTC_HOME" > ${mark}\nwhile :; do sleep 0.1; done\n`,
    )
    const { pid, end } = home.start(`subnet exec --nodes 1 -- sh ${script}`)
    await until(() => existsSync(mark) && home.read('mark') !== '')
    process.kill(pid ?? 0, 'SIGTERM')
    expect((await end).exit).toBe(5)
    expect(existsSync(home.read('mark').trim())).toBe(false)
  })

  it('leaves no directory in the temporary one', () => {
    expect(temporary).not.toBe(tmpdir())
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('ckbtc-exec-'))).toEqual([])
  })
})

describe('a subnet in the foreground', () => {
  const home = new Home()
  afterAll(() => home.remove())

  it('can be used like any other, until Ctrl-C', async () => {
    const { pid, end } = home.start('subnet start --nodes 1 --ephemeral --foreground')
    await until(() => existsSync(join(home.path, 'run', 'subnet.json')))
    expect(home.json('subnet status').pid).toBe(pid)
    process.kill(pid ?? 0, 'SIGINT')
    const { exit, out, err } = await end
    expect(out).toMatch(/^✓ Subnet ready in/)
    expect(err).toContain('Stopping the subnet; nothing is kept.')
    expect(exit).toBe(130)
    expect(readdirSync(join(home.path, 'run'))).toEqual([])
  })
})
