/** Aborts a built demo in every step, prints what came of it, and ends by itself if nothing was left running. */
import { connect } from 'node:net'
import { runDemo } from '../../dist/commands/demo/story.js'

const steps = ['subnet', 'deposit-address', 'deposit', 'mint', 'transfer', 'redeem', 'reserves']

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

async function abortAt(step) {
  const ending = new AbortController()
  const reason = new Error(step)
  let port = 0
  let open = Promise.resolve(false)
  const beforeStep = (name, { bitcoin }) => {
    if (name !== step) return
    port = bitcoin.port
    open = answers(port)
    open.then(() => ending.abort(reason)) // Not earlier: the port would be closed under the probe.
  }
  const options = { nodes: step === 'subnet' ? 4 : 1, chaos: false, signal: ending.signal }
  const outcome = await runDemo(options, () => undefined, { beforeStep }).then(
    () => 'completed',
    (error) => (error === reason ? 'stopped' : String(error)),
  )
  return { step, outcome, wasOpen: await open, isOpen: await answers(port) }
}

const ends = []
for (const step of steps) ends.push(await abortAt(step))
process.stdout.write(`${JSON.stringify(ends)}\n`)
