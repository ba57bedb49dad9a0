/** Checks of the program's surroundings. Source: `docs/spec/cli.md` §5.19. */
import { availableParallelism, totalmem } from 'node:os'
import { speaksUtf8 } from '../../terminal/terminal.ts'
import type { TableAge } from '../../wallet/minimum-work.ts'
import { minimumWorkAge, TABLE_MONTHS_MAX } from '../../wallet/minimum-work.ts'
import type { Context } from '../context.ts'
import type { Finding } from './finding.ts'
import { ok, warn } from './finding.ts'

export function machineFindings({ environment, terminal }: Context): readonly Finding[] {
  const { LANG, LC_ALL, LC_CTYPE } = environment
  const utf8 = speaksUtf8({ LANG, LC_ALL, LC_CTYPE })
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return [
    ok('node', `${process.version} on ${process.platform} ${process.arch}`),
    ok('machine', `${availableParallelism()} processors, ${memory} of memory`),
    ok('engine', 'noble, in JavaScript'),
    ok('terminal', terminalWords(terminal.width)),
    utf8
      ? ok('locale', 'UTF-8')
      : warn(
          'locale',
          'no UTF-8: symbols are written in ASCII',
          'set LANG, to C.UTF-8 for example',
        ),
    proxyFinding(environment),
    chainFinding(minimumWorkAge(new Date())),
  ]
}

/** NET-1: an old program asks too little of those who show it a chain. */
export function chainFinding({ release, isOld }: TableAge): Finding {
  const found = `chains must have the work that ${release} asks for`
  return isOld
    ? warn('bitcoin', `${found}, more than ${TABLE_MONTHS_MAX} months ago`, 'install a newer ckbtc')
    : ok('bitcoin', found)
}

const terminalWords = (width: number | undefined): string => {
  const asks = process.stdin.isTTY === true && process.stderr.isTTY === true
  const asked = asks ? 'questions are asked' : 'nobody can be asked'
  return width === undefined ? `none on standard output; ${asked}` : `${width} columns; ${asked}`
}

/** The platform's `fetch` connects by itself. */
function proxyFinding(environment: Context['environment']): Finding {
  const { HTTPS_PROXY, https_proxy } = environment
  return (HTTPS_PROXY || https_proxy || '') === ''
    ? ok('proxy', 'none')
    : warn(
        'proxy',
        'HTTPS_PROXY is set, and this version connects without it',
        'allow connections to the endpoint',
      )
}
