/** A worker thread in which one node lives. Started from `dist` by `worker-host.ts`. */
import { parentPort } from 'node:worker_threads'
import { present } from '../../core/base/errors.ts'
import { installSha256 } from '../../core/base/hash.ts'
import { nativeSha256 } from '../../native/sha256.ts'
import { NodeLife } from './life.ts'
import type { ToNode } from './protocol.ts'

const inbox = present(parentPort ?? undefined, 'this file runs in a worker')
installSha256(nativeSha256)
const life = new NodeLife({ tell: (message) => inbox.postMessage(message) })
inbox.on('message', (message: ToNode) => life.hear(message))
