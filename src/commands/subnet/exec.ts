/**
 * `ckbtc subnet exec`: a subnet of its own for the life of one program. Implements
 * `docs/spec/cli.md` §5.16.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { directoriesOf } from '../../core/base/directories.ts'
import { Interrupted, ProgramEnded, UsageInvalid } from '../../core/base/errors.ts'
import type { StatusReply } from '../../host/control/protocol.ts'
import { runSubnet } from '../../host/daemon.ts'
import { openProgress } from '../../terminal/progress.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { trustWarnings } from './ready.ts'
import { startOptions } from './start-options.ts'

/** How long the program may take to end once it was asked to. */
const PATIENCE_MS = 30_000
const SIGNALLED = 128

/** Always throws: `ProgramEnded` with the status of the program. */
export async function exec({ options, program }: Invocation, context: Context): Promise<void> {
  const given = startOptions(options, context.configuration)
  if (program.length === 0)
    throw new UsageInvalid('there is no program to run', {
      fix: 'name it after --',
      command: 'ckbtc subnet exec -- <command>',
    })
  context.whenStopped({ line: '', patienceMs: PATIENCE_MS })
  const home = mkdtempSync(join(tmpdir(), 'ckbtc-exec-'))
  try {
    throw new ProgramEnded(await runInside({ home, given, program }, context))
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

type Plan = {
  /** Of the subnet, and of every `ckbtc` that the program runs. */
  readonly home: string
  readonly given: ReturnType<typeof startOptions>
  readonly program: readonly string[]
}

/** Exit status of the program. */
async function runInside({ home, given, program }: Plan, context: Context): Promise<number> {
  const { terminal, signal, environment } = context
  const directories = directoriesOf({
    environment: { CKBTC_HOME: home },
    home: homedir(),
    platform: process.platform,
  })
  const ending = new AbortController()
  const progress = await openProgress(terminal)
  let ended: Promise<number> | undefined
  let child: ChildProcess | undefined
  const stop = (): void => {
    if (child === undefined) ending.abort()
    else passOn(child, signal.reason)
  }
  signal.addEventListener('abort', stop)
  try {
    await runSubnet(
      { directories, given, isEphemeral: true },
      {
        ending: ending.signal,
        report: (event) => {
          if (event.type === 'progress') {
            progress.show({ number: 1, label: 'Subnet', text: event.text })
            return
          }
          progress.stop()
          for (const { message } of trustWarnings(event.status))
            terminal.note(`ckbtc: warning: ${message}`)
          const own = environmentOf(event.status, home)
          child = run(program, { ...environment, ...own })
          ended = endOf(child, program[0] ?? '').finally(() => ending.abort())
          ended.catch(() => undefined) // Awaited below, once the subnet has ended.
        },
      },
    )
  } finally {
    progress.stop()
    signal.removeEventListener('abort', stop)
    child?.kill('SIGKILL') // Still there only when the subnet broke.
  }
  if (ended === undefined) throw signal.reason
  return ended
}

/** The variables by which a program finds the subnet; the root key as 266 digits in a file. */
function environmentOf({ url, ids, rootKey }: StatusReply, home: string) {
  const rootKeyFile = join(home, 'root-key.hex')
  writeFileSync(rootKeyFile, `${rootKey}\n`, { mode: 0o600 })
  return {
    CKBTC_HOME: home,
    CKBTC_NETWORK: 'local',
    CKBTC_URL: url,
    CKBTC_LEDGER_ID: ids.ledger,
    CKBTC_MINTER_ID: ids.minter,
    CKBTC_INDEX_ID: ids.index,
    CKBTC_ROOT_KEY_FILE: rootKeyFile,
  }
}

function run(
  [name = '', ...args]: readonly string[],
  environment: NodeJS.ProcessEnv,
): ChildProcess {
  return spawn(name, args, { stdio: 'inherit', env: environment })
}

function endOf(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) =>
      reject(
        new UsageInvalid(`"${name}" cannot be run: ${error.message}`, {
          fix: 'check its name and that it may be executed',
          command: 'ckbtc subnet exec -- <command>',
        }),
      ),
    )
    child.on('exit', (status, signal) =>
      resolve(status ?? SIGNALLED + (signal === null ? 0 : constants.signals[signal])),
    )
  })
}

/** Ctrl-C reaches the program by itself where there is a terminal; anything else is passed on. */
function passOn(child: ChildProcess, reason: unknown): void {
  const signal = reason instanceof Interrupted ? reason.signal : 'SIGTERM'
  if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal)
}
