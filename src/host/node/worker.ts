/** A worker thread in which one node lives. Started from `dist` by `worker-host.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { present } from '../../core/base/errors.ts'
import { installSha256 } from '../../core/base/hash.ts'
import { nativeSha256 } from '../../native/sha256.ts'
import { NodeLife } from './life.ts'
import type { ToNode } from './protocol.ts'

const inbox = present(parentPort ?? undefined, 'this file runs in a worker')
installSha256(nativeSha256)
const life = new NodeLife({ tell: (message) => inbox.postMessage(message) })
/** Set before `kill` is sent: what was sent before that is not heard any more. */
const isKilled = new Int32Array(workerData)
inbox.on('message', (message: ToNode) => {
  if (message.type === 'kill' || Atomics.load(isKilled, 0) === 0) life.hear(message)
})
