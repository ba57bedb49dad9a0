/**
 * Loaded with `node --import`: writes every connection that is tried to the file
 * CKBTC_TEST_CONNECTIONS, and lets none of them leave this machine.
 */
import dns from 'node:dns'
import { appendFileSync } from 'node:fs'
import net from 'node:net'

const record = (line) => appendFileSync(process.env.CKBTC_TEST_CONNECTIONS, `${line}\n`)
const isLoopback = (host) => /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host)
const unreachable = () =>
  Object.assign(new RangeError('the test lets nothing out'), { code: 'ENETUNREACH' })

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (...words) {
  const [first] = words.flat()
  const {
    path,
    host = 'localhost',
    port,
  } = typeof first === 'object' && first !== null
    ? first
    : typeof first === 'string'
      ? { path: first }
      : { port: first, host: words.flat()[1] }
  if (path !== undefined && path !== null) {
    record('unix')
    return connect.apply(this, words)
  }
  record(`tcp ${host}:${port}`)
  if (isLoopback(host)) return connect.apply(this, words)
  process.nextTick(() => this.destroy(unreachable()))
  return this
}

const lookup = dns.lookup
dns.lookup = (host, ...more) => {
  if (isLoopback(host)) return lookup(host, ...more)
  record(`name ${host}`)
  process.nextTick(more.at(-1), unreachable())
}
