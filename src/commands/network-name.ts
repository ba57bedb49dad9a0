/** Which network a command is about, before it is looked up. Implements `docs/spec/cli.md` §3.4. */
import type { Context } from './context.ts'

const LOCAL = 'local'

export const networkNameOf = ({
  globals,
  environment,
}: Pick<Context, 'globals' | 'environment'>): string => {
  const { CKBTC_NETWORK } = environment
  return globals.network ?? (CKBTC_NETWORK || LOCAL)
}
