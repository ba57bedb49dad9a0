/** Changes of the user's configuration file. Implements `docs/spec/cli.md` §§3.14, 5.19. */
import { dirname } from 'node:path'
import { CONFIG_VERSION, readSettings } from './config.ts'
import { withLock } from './file-lock.ts'
import { makePrivateFolder, writePrivate } from './private-files.ts'
import { requireKind } from './setting-names.ts'

/**
 * Sets one value, or takes it away when it is undefined; the rest of the file stays. Says whether
 * anything changed. Throws `USAGE_INVALID` and `CONFIG_INVALID`.
 */
export async function writeSetting(
  path: string,
  name: string,
  value: string | undefined,
): Promise<boolean> {
  const kind = requireKind(name, 'user')
  if (value !== undefined) kind.check(value)
  makePrivateFolder(dirname(path))
  return withLock(`${path}.lock`, () => {
    const settings = new Map(readSettings(path, 'user'))
    if (settings.get(name) === value) return false
    if (value === undefined) settings.delete(name)
    else settings.set(name, value)
    writePrivate(path, encodeSettings(settings))
    return true
  })
}

/** Names with points become objects in objects. */
export function encodeSettings(settings: ReadonlyMap<string, string>): string {
  const document: Record<string, unknown> = { version: CONFIG_VERSION }
  for (const [name, value] of [...settings].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const words = name.split('.')
    const last = words.pop() ?? name
    let place = document
    for (const word of words) place = inner(place, word)
    place[last] = value
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function inner(place: Record<string, unknown>, word: string): Record<string, unknown> {
  const found = place[word]
  if (typeof found === 'object' && found !== null) return Object(found)
  const made: Record<string, unknown> = {}
  place[word] = made
  return made
}
