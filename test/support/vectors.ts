/**
 * Public test data beside the repository, or where `CKBTC_VECTORS` says; tests skip where it is
 * absent.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'vitest'

const { CKBTC_VECTORS } = process.env
const folder = CKBTC_VECTORS ?? fileURLToPath(new URL('../../../shared/vectors', import.meta.url))

/** Bytes of one vector file; skips the running test where there is none. */
export function vectorBytes({ skip }: TestContext, path: string): Uint8Array {
  const file = join(folder, path)
  return existsSync(file) ? new Uint8Array(readFileSync(file)) : skip(`no ${path} in ${folder}`)
}

export const vectorText = (context: TestContext, path: string): string =>
  new TextDecoder().decode(vectorBytes(context, path))

/** Parsed JSON; the caller's type says what the file is known to hold. */
export const vectorJson = <T>(context: TestContext, path: string): T =>
  JSON.parse(vectorText(context, path)) as T

/** Names of the files of one folder with an ending; none where the folder is absent. */
export function vectorFiles(path: string, ending: string): readonly string[] {
  const place = join(folder, path)
  if (!existsSync(place)) return []
  return readdirSync(place)
    .filter((name) => name.endsWith(ending))
    .sort()
}

/** Parsed JSON of a file that is known to be there. */
export const listedJson = <T>(path: string): T =>
  JSON.parse(readFileSync(join(folder, path), 'utf8')) as T
