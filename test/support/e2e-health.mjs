/** Loaded with `node --import`: at the end says, as the last line of standard error, how the process fared. */
import { writeSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

const EVERY_MS = 20

if (isMainThread) {
  let last = performance.now()
  let blockedMs = 0
  const look = () => {
    const now = performance.now()
    blockedMs = Math.max(blockedMs, now - last - EVERY_MS)
    last = now
  }
  setInterval(look, EVERY_MS).unref()
  process.on('exit', () => {
    const { maxRSS } = process.resourceUsage()
    writeSync(2, `${JSON.stringify({ blockedMs, peakBytes: maxRSS * 1024 })}\n`)
  })
}
