/**
 * `npm run test:large`: whole nodes of a large subnet make their keys over their own log, and sign
 * one message; NODES chooses how many, 28 unless told. Source: threshold §22.4, cli §5.16.
 */
import { toHex } from '../../src/core/base/bytes.ts'
import { inStep } from '../support/log-schedules.ts'
import { NodeClients } from '../support/node-clients.ts'
import { NodeNet } from '../support/node-net.ts'
import { NodeWorld } from '../support/node-world.ts'

const { NODES = '28' } = process.env
const nodes = Number(NODES)
/** In virtual time, of which the work of the nodes takes next to none. */
const LONG_MS = 3_600_000
const MEGABYTE = 2 ** 10

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

function tell(what: string): void {
  const { user, system } = process.cpuUsage()
  const seconds = ((user + system) / 1e6).toFixed(0)
  // Kilobytes, everywhere.
  const megabytes = (process.resourceUsage().maxRSS / MEGABYTE).toFixed(0)
  say(`${what}: ${seconds} s of one core so far, ${megabytes} MB at most`)
}

const world = new NodeWorld(nodes, { incarnation: 1n })
const net = new NodeNet({ world, seed: `large/${nodes}`, schedule: inStep })
const clients = new NodeClients(net)
const isMade = (): boolean => net.subnets.every(({ publicKey }) => publicKey !== undefined)
const hasKeys = net.run(isMade, LONG_MS)
tell(`${nodes} nodes, keys ${hasKeys ? 'made' : 'NOT MADE'}`)
const isFull = (): boolean => net.honest.every((node) => net.checker.stock.get(node) === 1)
const hasStock = hasKeys && net.run(isFull, LONG_MS)
tell(`a presignature ${hasStock ? 'made' : 'NOT MADE'}`)
const id = clients.operatorAsks({ scheme: 'ecdsa', message: new Uint8Array(32).fill(7) })
const isSigned = (): boolean => net.checker.operatorSignatures.has(toHex(id))
const hasSigned = hasStock && net.run(isSigned, LONG_MS)
tell(`a message ${hasSigned ? 'signed' : 'NOT SIGNED'}, ${net.sent} messages`)
process.exitCode = hasSigned ? 0 : 1
