/** Checks of the user's files and folders. Source: `docs/spec/cli.md` §§3.13, 3.14, 5.19. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { loadConfiguration } from '../../wallet/config.ts'
import { readNetworks } from '../../wallet/networks.ts'
import { isOpen } from '../../wallet/operations/operation.ts'
import { nextStep } from '../../wallet/operations/status.ts'
import type { widePermissions } from '../../wallet/private-files.ts'
import type { Context } from '../context.ts'
import { journalOf } from '../journal.ts'
import { keyPorts } from '../key-ports.ts'
import { keyStoreOf } from '../keys.ts'
import type { Finding } from './finding.ts'
import { fail, ok, remedyOf, tried, warn } from './finding.ts'

/** Below this the local subnet may soon fail to write. */
const FREE_BYTES_LOW = 500_000_000
const FREE_BYTES_MIN = 20_000_000

export async function fileFindings(
  context: Context,
  { fix }: { readonly fix: boolean },
): Promise<readonly Finding[]> {
  return [
    ...(await tried('configuration', () => configurationFinding(context))),
    ...(await tried('networks', async () => {
      const { length } = await readNetworks(context.directories)
      return ok('networks', length === 0 ? 'none added' : `${length} added`)
    })),
    ...folderFindings(context),
    ...(await tried('keys', () => keyFindings(context, fix))),
    ...(await tried('journal', () => journalFinding(context))),
  ]
}

function configurationFinding(context: Context): Finding {
  const { configuration, globals, environment } = context
  const { path } = configuration
  loadConfiguration({
    path,
    isNamed: globals.config !== undefined,
    workingFolder: workingFolder(),
    environment,
    options: {},
  })
  return ok('configuration', existsSync(path) ? path : 'defaults')
}

function workingFolder(): string | undefined {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}

/** Every folder can be written to, or made; disks are named once. */
function folderFindings({ directories }: Context): readonly Finding[] {
  const paths = [...new Set(Object.values(directories))]
  const closed = paths.filter((path) => !isWritable(existing(path)))
  const folders =
    closed.length === 0
      ? ok('folders', 'all can be written to')
      : fail('folders', `no write access to ${closed.join(', ')}`, 'take ownership of the folder')
  return [folders, diskFinding(existing(directories.state))]
}

/** The folder, or the nearest one above it that is there. */
const existing = (path: string): string =>
  existsSync(path) || dirname(path) === path ? path : existing(dirname(path))

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function diskFinding(path: string): Finding {
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  const found = `${Math.floor(free / 1_000_000)} MB free for ${path}`
  const remedy = 'free some space, or move the state with CKBTC_HOME'
  if (free < FREE_BYTES_MIN) return fail('disk', found, remedy)
  return free < FREE_BYTES_LOW ? warn('disk', found, remedy) : ok('disk', found)
}

function keyFindings(context: Context, fix: boolean): readonly Finding[] {
  const store = keyStoreOf(context, keyPorts(context))
  const { keys, broken } = store.list()
  const open = keys.filter(({ protection }) => protection === 'plaintext').length
  const words = keys.length === 0 ? 'none' : `${keys.length}${open === 0 ? '' : `, ${open} open`}`
  return [
    ok('keys', words),
    ...broken.map(({ problem }) => fail('keys', problem.message, remedyOf(problem))),
    permissionFinding(fix ? store.narrowPermissions() : store.widePermissions(), fix),
  ]
}

/** Those that wait for their user are a warning: nobody else goes on with them. */
function journalFinding(context: Context): Finding {
  const operations = journalOf(context).all()
  const open = operations.filter(isOpen)
  const waiting = open.find((operation) => nextStep(operation).needsAction)
  const words = operations.length === 0 ? 'no operation yet' : `${operations.length} operations`
  const found = `${words}${open.length === 0 ? '' : `, ${open.length} open`}`
  if (waiting === undefined) return ok('journal', found)
  const { id, network } = waiting
  return warn('journal', `${found}; ${id} waits for you`, `ckbtc resume ${id} -n ${network}`)
}

function permissionFinding(
  wide: readonly NonNullable<ReturnType<typeof widePermissions>>[],
  fixed: boolean,
): Finding {
  if (wide.length === 0) return ok('key files', 'for their owner alone')
  const paths = wide.map(({ path, mode }) => `${path} (${mode.toString(8)})`).join(', ')
  return fixed
    ? ok('key files', `were open to others, and are no longer: ${paths}`)
    : warn('key files', `others may read ${paths}`, 'ckbtc doctor --fix')
}
