/** Answers as of one block. Source: `docs/spec/bitcoin.md` §8.8 RV-2. */
import type { HeaderNode } from '../../core/btc/header-tree.ts'
import type { Tip } from '../bitcoin-source.ts'
import { unusable } from './failures.ts'

/** Blocks that may come while a question is answered. */
const ATTEMPTS_MAX = 4

export const tipOf = ({ hash, height, header }: HeaderNode): Tip => ({
  hash,
  height,
  time: header.time,
})

/** Runs until the tip is the same before and after. */
export async function atOneTip<T>(
  name: string,
  readTip: () => Promise<HeaderNode>,
  run: (tip: HeaderNode) => Promise<T>,
): Promise<{ readonly tip: HeaderNode; readonly value: T }> {
  let tip = await readTip()
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const value = await run(tip)
    const after = await readTip()
    if (after.key === tip.key) return { tip, value }
    tip = after
  }
  throw unusable(name, 'blocks come faster than it answers', 'run the command again')
}
