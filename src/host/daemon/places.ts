/** Where the local subnet keeps what. Source: `docs/spec/cli.md` §3.14. */
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { HostDisk } from '../../core/base/errors.ts'
import type { SubnetDirectories } from '../daemon-request.ts'

export type Places = {
  /** Everything that is kept; `reset` removes it. */
  readonly state: string
  readonly settings: string
  readonly operatorKey: string
  readonly logs: string
  /** Outside the state, so that a reset is covered by it. */
  readonly lock: string
  readonly runtime: string
  readonly descriptor: string
  /** Socket of the control port. */
  readonly control: string
}

const OWNER_ONLY = 0o700
const OTHERS = 0o077
/** What the systems that we know take as the address of a Unix socket, with room to spare. */
const SOCKET_PATH_BYTES_MAX = 100

export function placesOf(directories: SubnetDirectories): Places {
  const state = resolve(directories.state)
  const runtime = resolve(directories.runtime)
  const home = join(state, 'subnet')
  return {
    state: home,
    settings: join(home, 'settings.json'),
    operatorKey: join(home, 'operator.key'),
    logs: join(state, 'subnet-log'),
    lock: join(state, 'subnet.lock'),
    runtime,
    descriptor: join(runtime, 'subnet.json'),
    control: controlPath(runtime),
  }
}

function controlPath(runtime: string): string {
  const name = createHash('sha256').update(runtime).digest('hex').slice(0, 16)
  if (process.platform === 'win32') return `\\\\.\\pipe\\ckbtc-${name}`
  const path = join(runtime, 'control.sock')
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path
  return join(tmpdir(), `ckbtc-${userInfo().uid}-${name}`, 'control.sock')
}

/** Makes a directory that only its owner may enter. Throws `HostDisk` when others may. */
export function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: OWNER_ONLY })
  if (process.platform === 'win32') return
  const found = lstatSync(path)
  if (!found.isDirectory() || found.uid !== userInfo().uid)
    throw new HostDisk(path, 'it belongs to somebody else', undefined)
  if ((found.mode & OTHERS) !== 0) chmodSync(path, OWNER_ONLY)
}

/** Bytes of all files below a directory; 0 when there is none. */
export function diskBytes(path: string): number {
  try {
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .map((name) => statSync(join(path, name), { throwIfNoEntry: false }))
      .reduce((sum, found) => sum + (found?.isFile() === true ? found.size : 0), 0)
  } catch {
    return 0
  }
}
