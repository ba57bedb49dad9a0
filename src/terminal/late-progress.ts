/**
 * Signs of life for what is mostly over before anybody asks: shown after two seconds. Implements cli
 * §1.7, §3.5.
 */
import { openProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'

const SILENCE_MS = 2_000

/** `work` is given a way to say how far it is. */
export async function slowly<T>(
  terminal: Terminal,
  { label, text: first }: { readonly label: string; readonly text: string },
  work: (say: (text: string) => void) => Promise<T>,
): Promise<T> {
  const progress = await openProgress(terminal)
  let text = first
  let shownAt: number | undefined
  const show = (): void => {
    shownAt = performance.now()
    progress.show({ label, text })
  }
  const timer = setTimeout(show, SILENCE_MS)
  timer.unref()
  // Where nothing moves every change is a line of its own: there the heartbeat has to do.
  const isCheap = terminal.spins || terminal.settings.progress === 'json'
  try {
    return await work((next) => {
      text = next
      if (isCheap && shownAt !== undefined && performance.now() - shownAt > SILENCE_MS) show()
    })
  } finally {
    clearTimeout(timer)
    progress.stop()
  }
}
