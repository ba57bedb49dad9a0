/** Which process listens on a port, where the system tells: Linux, `/proc`. */
import { readdir, readFile, readlink } from 'node:fs/promises'

export type PortHolder = { readonly pid: number; readonly name: string }

/** State of a listening socket in `/proc/net/tcp`. */
const LISTENING = '0A'

/** Undefined when the system does not say: another user's process, another system. */
export async function portHolder(port: number): Promise<PortHolder | undefined> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => contents(`/proc/net/${name}`)))
  const wanted = new Set(tables.flatMap((table) => listeners(table, port)))
  if (wanted.size === 0) return undefined
  const processes = (await entries('/proc')).filter((name) => /^\d+$/.test(name))
  for (const pid of processes) {
    const descriptors = await entries(`/proc/${pid}/fd`)
    const links = await Promise.all(descriptors.map((fd) => target(`/proc/${pid}/fd/${fd}`)))
    if (!links.some((link) => wanted.has(link))) continue
    const name = (await contents(`/proc/${pid}/comm`)).trim()
    return { pid: Number(pid), name: name === '' ? 'a program' : name }
  }
  return undefined
}

/** Links of the sockets that listen on the port. */
function listeners(table: string, port: number): readonly string[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
      const hex = local.split(':').at(-1) ?? ''
      return state === LISTENING && Number.parseInt(hex, 16) === port ? [`socket:[${inode}]`] : []
    })
}

// Processes come and go while they are looked at, and some may not be looked at.
const contents = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')
const entries = (path: string): Promise<readonly string[]> => readdir(path).catch(() => [])
const target = (path: string): Promise<string> => readlink(path).catch(() => '')
