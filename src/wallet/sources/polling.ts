/** News of a source that sends none: it is asked again and again. Source: bitcoin.md §8.1. */
import { toHex } from '../../core/base/bytes.ts'
import { CkbtcError } from '../../core/base/errors.ts'
import type { SourceEvent, SourceInfo, SourcePorts } from '../bitcoin-source.ts'

const EVERY_MS = 10_000

/** Tells of new tips until the returned function is called. */
export function poll(
  read: () => Promise<SourceInfo>,
  { wait }: Pick<SourcePorts, 'wait'>,
  listener: (event: SourceEvent) => void,
): () => void {
  const over = new AbortController()
  const { signal } = over
  const run = async (): Promise<void> => {
    let known = ''
    while (!signal.aborted) {
      try {
        const { tip, synced } = await read()
        if (signal.aborted) return
        if (known === '') listener({ type: synced ? 'synced' : 'syncing' })
        if (toHex(tip.hash) !== known) listener({ type: 'tipChanged', tip })
        known = toHex(tip.hash)
      } catch (error) {
        if (!(error instanceof CkbtcError) || signal.aborted) return
        listener({ type: 'alarm', reason: error.message })
      }
      await wait(EVERY_MS, signal)
    }
  }
  void run()
  return () => over.abort()
}
