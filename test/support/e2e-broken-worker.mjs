/** Loaded with `node --import`: worker threads break, at once or in the middle, as CKBTC_TEST_BREAK says. */
import { isMainThread } from 'node:worker_threads'

const MIDDLE_MS = 700

function fail() {
  throw new Error('broken on purpose')
}

if (!isMainThread) {
  const moment = process.env.CKBTC_TEST_BREAK
  if (moment === 'start') fail()
  if (moment === 'middle') setTimeout(fail, MIDDLE_MS)
  if (moment === 'exit') setTimeout(() => process.exit(0), MIDDLE_MS)
}
