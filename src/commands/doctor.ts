/** `ckbtc doctor`: find and fix problems. Implements `docs/spec/cli.md` §5.19. */
import { Problem } from '../core/base/errors.ts'
import { printAnswer } from '../terminal/answer.ts'
import { printTable } from '../terminal/table.ts'
import type { Context } from './context.ts'
import type { Invocation } from './definitions/command.ts'
import { fileFindings } from './doctor/files.ts'
import type { Finding } from './doctor/finding.ts'
import { localFindings } from './doctor/local.ts'
import { machineFindings } from './doctor/machine.ts'
import { networkFindings } from './doctor/network.ts'
import { commitOf, packageFolder } from './version.ts'

/** Throws `CHECK_FAILED` when a check failed, after everything has been printed. */
export async function doctor({ options }: Invocation, context: Context): Promise<void> {
  const fix = options.isOn('fix')
  const here = [
    ...machineFindings(context),
    ...(await fileFindings(context, { fix })),
    ...(await localFindings(context, { fix })),
  ]
  const { findings: there, hosts } = await networkFindings(context)
  const findings = [...here, ...there]
  const failed = findings.filter(({ state }) => state === 'fail')
  const problem = failed.length === 0 ? undefined : problemOf(failed, findings, hosts)
  const { terminal, globals } = context
  if (problem !== undefined && terminal.settings.json) throw problem
  printAnswer(terminal, {
    schema: 'doctor',
    network: globals.network ?? 'local',
    data: { checks: findings.map(dataOf), hosts },
    warnings: [],
    essential: failed.length > 0 ? 'fail' : worst(findings),
    print: () => {
      if (options.isOn('report')) printReport(context, findings, hosts)
      else print(context, findings, hosts)
    },
  })
  if (problem !== undefined) throw problem
}

const dataOf = ({ check, state, found, remedy = undefined }: Finding) => ({
  check,
  state,
  found,
  remedy: remedy ?? null,
})

const worst = (findings: readonly Finding[]): string =>
  findings.some(({ state }) => state === 'warn') ? 'warn' : 'ok'

function problemOf(
  failed: readonly Finding[],
  findings: readonly Finding[],
  hosts: readonly string[],
): Problem {
  const names = [...new Set(failed.map(({ check }) => check))].join(', ')
  const [first] = failed
  return new Problem(
    'CHECK_FAILED',
    `${failed.length} of ${findings.length} checks failed: ${names}`,
    {
      fix: first?.remedy ?? 'see the list',
      details: { checks: findings.map(dataOf), hosts },
    },
  )
}

function print(
  { terminal }: Context,
  findings: readonly Finding[],
  hosts: readonly string[],
): void {
  const { plain } = terminal.settings
  if (plain) {
    const columns = ['CHECK', 'STATE', 'FOUND', 'REMEDY'].map((title) => ({ title }))
    const rows = findings.map((one) => [one.check, one.state, one.found, one.remedy ?? ''])
    printTable(terminal, columns, rows)
    return
  }
  const width = Math.max(...findings.map(({ check }) => check.length))
  for (const { check, state, found, remedy } of findings) {
    const paint = state === 'ok' ? terminal.paint.good : terminal.paint.bad
    terminal.answer(`${paint(state.padEnd(4))}  ${check.padEnd(width)}  ${found}`)
    if (remedy !== undefined) terminal.answer(`${' '.repeat(8 + width)}${remedy}`)
  }
  terminal.answer(hostWords(hosts))
}

const hostWords = (hosts: readonly string[]): string =>
  hosts.length === 0
    ? 'No host is contacted by commands of this network now.'
    : `Commands of this network contact ${hosts.join(', ')} and nobody else.`

/** Ready to paste; holds no key, no name of one, and no folder of a user. */
function printReport(
  { terminal, version, environment }: Context,
  findings: readonly Finding[],
  hosts: readonly string[],
): void {
  const { HOME, USERPROFILE } = environment
  const home = HOME || USERPROFILE
  const withoutHome = (text: string): string => (home ? text.replaceAll(home, '~') : text)
  terminal.answer(`ckbtc ${version}, commit ${commitOf(packageFolder) ?? 'unknown'}`)
  for (const { check, state, found } of findings)
    terminal.answer(withoutHome(`${state} ${check}: ${found}`))
  terminal.answer(`hosts: ${hosts.join(', ') || 'none'}`)
}
