/** `ckbtc version`. Implements `docs/spec/cli.md` §5.19. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { printAnswer } from '../terminal/answer.ts'
import { printPairs } from '../terminal/table.ts'
import type { Context } from './context.ts'
import type { Invocation } from './definitions/command.ts'

/** Versions of the documents that are printed: `ckbtc.<name>.v1`. */
const schemaVersions = { answer: 1, error: 1, progress: 1 } as const

export const packageFolder = fileURLToPath(new URL('../../', import.meta.url))

export async function version(_: Invocation, context: Context): Promise<void> {
  const { terminal, globals } = context
  const commit = commitOf(packageFolder)
  const { node } = process.versions
  printAnswer(terminal, {
    schema: 'version',
    network: globals.network ?? 'local',
    data: { version: context.version, commit, node, schemas: schemaVersions },
    warnings: [],
    essential: context.version,
    print: () =>
      printPairs(terminal, [
        ['ckbtc', context.version],
        ['Commit', commit ?? 'not a checkout'],
        ['Node', node],
        ['Schemas', 'answers, errors and progress: version 1'],
      ]),
  })
}

/** The commit of a checkout; null for an installed package. */
export function commitOf(folder: string): string | null {
  const git = gitFolderOf(join(folder, '.git'))
  const head = git && readLine(join(git, 'HEAD'))
  if (git === undefined || head === undefined) return null
  const name = /^ref: (\S+)$/.exec(head)?.[1]
  const shared = readLine(join(git, 'commondir')) ?? '.'
  const store = isAbsolute(shared) ? shared : join(git, shared)
  const found = name === undefined ? head : (readLine(join(store, name)) ?? packed(store, name))
  return found !== undefined && /^[0-9a-f]{40,64}$/.test(found) ? found : null
}

/** A work tree has a file that names the folder. */
function gitFolderOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  if (statSync(path).isDirectory()) return path
  return /^gitdir: (.+)$/.exec(readLine(path) ?? '')?.[1]
}

function packed(store: string, name: string): string | undefined {
  const path = join(store, 'packed-refs')
  if (!existsSync(path)) return undefined
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find((row) => row.endsWith(` ${name}`))
  return line?.split(' ')[0]
}

const readLine = (path: string): string | undefined =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n')[0]?.trim() : undefined
