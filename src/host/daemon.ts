/**
 * The local subnet as commands see it: start it, find it, stop it, discard it. Implements
 * `docs/spec/cli.md` §5.16.
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Bug, errorCatalogue, Problem } from '../core/base/errors.ts'
import type { SubnetDescriptor } from '../core/ic/subnet-descriptor.ts'
import { ControlClient, subnetDown } from './control/client.ts'
import type { StatusReply } from './control/protocol.ts'
import { liveDescriptor } from './daemon/descriptor-file.ts'
import { decodeLaunchMessage, encodeRequest } from './daemon/launch-protocol.ts'
import { diskBytes, makePrivate, placesOf } from './daemon/places.ts'
import type { Holder } from './daemon/process-lock.ts'
import { lockHolder, takeLock } from './daemon/process-lock.ts'
import type { DaemonPorts, DaemonRequest, SubnetDirectories } from './daemon-request.ts'
import { isRunning } from './store/process-mark.ts'

/** How long a subnet may take to end before its process is killed. */
const STOP_MS_MAX = 10_000
const LOOK_MS = 50
/** Starts that find another one in their way, before that is taken for a fault. */
const LAUNCHES_MAX = 5

/** What a subnet in the background has no use for, and must not hold. */
const secretNames: readonly string[] = ['CKBTC_PASSPHRASE', 'CKBTC_PASSPHRASE_FILE']

/** The running subnet; undefined when there is none. */
export const findSubnet = (directories: SubnetDirectories): Promise<SubnetDescriptor | undefined> =>
  liveDescriptor(placesOf(directories).descriptor)

/** The control port of the running subnet. Throws `SUBNET_DOWN`. */
export async function openControl(directories: SubnetDirectories): Promise<ControlClient> {
  const descriptor = await findSubnet(directories)
  if (descriptor === undefined) throw subnetDown()
  return new ControlClient(descriptor.controlPath)
}

export type Started = {
  readonly status: StatusReply
  /** Undefined: it had been running before. */
  readonly startedMs: number | undefined
}

/**
 * Starts a subnet that outlives this process, and waits until it can be used. Throws what kept it
 * from that. When `signal` aborts first, the subnet is stopped again.
 */
export async function startSubnet(
  request: DaemonRequest,
  observe: (text: string) => void,
  signal: AbortSignal,
): Promise<Started> {
  for (let launches = 0; launches < LAUNCHES_MAX; launches++) {
    const running = await runningStatus(request.directories)
    if (running !== undefined) return { status: running, startedMs: undefined }
    const started = await launch(request, observe, signal)
    if (started !== undefined) return started
    // Another one was there, which runs now or was about to end.
  }
  throw new Bug('the subnet ended without a word')
}

/** Undefined also where one that was killed is listened to until it has gone. */
async function runningStatus(directories: SubnetDirectories): Promise<StatusReply | undefined> {
  const descriptor = await findSubnet(directories)
  if (descriptor === undefined) return undefined
  try {
    return await new ControlClient(descriptor.controlPath).ask('status', {})
  } catch (error) {
    if (error instanceof Problem && error.code === 'SUBNET_DOWN') return undefined
    throw error
  }
}

/** Undefined when the process ended in good order: another start was faster. */
function launch(
  request: DaemonRequest,
  observe: (text: string) => void,
  signal: AbortSignal,
): Promise<Started | undefined> {
  const { logs } = placesOf(request.directories)
  makePrivate(logs)
  const crashes = openSync(join(logs, 'crash.log'), 'w', 0o600)
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./daemon/main.js', import.meta.url))],
    {
      detached: true,
      windowsHide: true,
      cwd: homedir(),
      env: withoutSecrets(process.env),
      stdio: ['ignore', crashes, crashes, 'ipc'],
    },
  )
  closeSync(crashes)
  return new Promise((fulfil, reject) => {
    const abort = (): void => {
      child.kill('SIGTERM')
      reject(signal.reason)
    }
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', abort)
      child.removeAllListeners()
      if (child.connected) child.disconnect()
      child.unref()
      act()
    }
    signal.addEventListener('abort', abort)
    child.on('error', (error) => settle(() => reject(error)))
    child.on('exit', (status, killer) =>
      settle(() => (status === 0 ? fulfil(undefined) : reject(died(status, killer, logs)))),
    )
    child.on('message', (source) => {
      const message = decodeLaunchMessage(source)
      if (message?.type === 'progress') observe(message.text)
      if (message?.type === 'failed') settle(() => reject(failureOf(message)))
      if (message?.type === 'ready') settle(() => fulfil(message))
    })
    const { state, runtime } = request.directories
    const directories = { state: resolve(state), runtime: resolve(runtime) }
    child.send(encodeRequest({ ...request, directories }))
  })
}

function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !secretNames.includes(name))
  return Object.fromEntries(kept)
}

const died = (status: number | null, killer: string | null, logs: string): Bug =>
  new Bug(`the subnet ended at its start (${killer ?? `status ${status}`}); see ${logs}`)

function failureOf({
  code,
  message,
  ...help
}: Extract<ReturnType<typeof decodeLaunchMessage>, { type: 'failed' }>): Error {
  const known = Object.keys(errorCatalogue).find((name) => name === code)
  if (!isCode(known)) return new Bug(message)
  return known === 'BUG' ? new Bug(message) : new Problem(known, message, help)
}

const isCode = (code: string | undefined): code is keyof typeof errorCatalogue =>
  code !== undefined && Object.hasOwn(errorCatalogue, code)

/** Runs a subnet in this process until it is asked to end. */
export async function runSubnet(request: DaemonRequest, ports: DaemonPorts): Promise<void> {
  const { runDaemon } = await import('./daemon/run.ts')
  await runDaemon(request, ports)
}

/** What was stopped, and whether anything of it is kept. */
export type Stopped = { readonly wasRunning: boolean; readonly isKept: boolean }

/** Stops the subnet. Returns when its process has ended. */
export async function stopSubnet(directories: SubnetDirectories): Promise<Stopped> {
  const places = placesOf(directories)
  const holder = lockHolder(places.lock)
  if (holder !== undefined) {
    await askToStop(holder.pid, await liveDescriptor(places.descriptor))
    await awaitEnd(holder)
  }
  return { wasRunning: holder !== undefined, isKept: existsSync(places.settings) }
}

/** A subnet that is starting, or has stopped to listen, understands a signal. */
async function askToStop(pid: number, descriptor: SubnetDescriptor | undefined): Promise<void> {
  if (descriptor === undefined) return endProcess(pid, 'SIGTERM')
  const control = new ControlClient(descriptor.controlPath)
  await control.ask('stop', {}, { timeoutMs: STOP_MS_MAX }).catch(() => endProcess(pid, 'SIGTERM'))
}

/** Until the process has ended; in the end it is killed. */
async function awaitEnd(holder: Holder): Promise<void> {
  const deadline = performance.now() + STOP_MS_MAX
  let killed = false
  while (isRunning(holder)) {
    if (!killed && performance.now() > deadline) {
      killed = true
      endProcess(holder.pid, 'SIGKILL')
    }
    await pause(LOOK_MS)
  }
}

function endProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

export type Discardable = {
  readonly path: string
  readonly bytes: number
  readonly isRunning: boolean
}

/** What a reset would discard. */
export async function discardable(directories: SubnetDirectories): Promise<Discardable> {
  const { state, lock } = placesOf(directories)
  const isRunning = lockHolder(lock) !== undefined
  return { path: state, bytes: diskBytes(state), isRunning }
}

/** Stops the subnet and removes everything it keeps. Throws `HOST_STATE_LOCKED`. */
export async function resetSubnet(directories: SubnetDirectories): Promise<Discardable> {
  await stopSubnet(directories)
  const places = placesOf(directories)
  makePrivate(dirname(places.lock))
  const lock = await takeLock(places.lock, 'resets the subnet')
  try {
    const discarded = await discardable(directories)
    rmSync(places.state, { recursive: true, force: true })
    return { ...discarded, isRunning: false }
  } finally {
    lock?.release()
  }
}
