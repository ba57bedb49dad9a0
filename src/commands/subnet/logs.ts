/** `ckbtc subnet logs`. Implements `docs/spec/cli.md` §5.16. */
import { parseCount, parseDuration } from '../../core/base/amounts.ts'
import type { LogLine } from '../../host/subnet-log.ts'
import { followLog, readLog } from '../../host/subnet-log.ts'
import { answerDocument } from '../../terminal/json.ts'
import { localTime } from '../../terminal/local-time.ts'
import { oneLine } from '../../terminal/table.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { LOCAL } from '../local-network.ts'

const NODES_MAX = 40

export async function logs({ options }: Invocation, context: Context): Promise<void> {
  const { terminal, directories, signal, whenStopped } = context
  const nodeText = options.text('node')
  const node =
    nodeText === undefined
      ? undefined
      : parseCount(nodeText, { what: '--node', min: 1, max: NODES_MAX })
  const sinceText = options.text('since')
  const since = sinceText === undefined ? 0 : Date.now() - parseDuration(sinceText)
  const isWanted = (line: LogLine): boolean =>
    (node === undefined || line.node === node) && Date.parse(line.at) >= since
  const print = (line: LogLine): void => {
    if (isWanted(line)) printLine(terminal, line)
  }
  for (const line of readLog(directories)) print(line)
  if (!options.isOn('follow')) return
  whenStopped({ line: '' })
  await followLog(directories, print, signal)
}

function printLine(terminal: Terminal, line: LogLine): void {
  const { at, level, node, text } = line
  const { json, plain } = terminal.settings
  if (json) {
    const data = { at, level, node, text }
    terminal.answer(answerDocument({ schema: 'subnet-log', network: LOCAL, data, warnings: [] }))
  } else if (plain) {
    terminal.answer([at, level, node ?? '', oneLine(text)].join('\t'))
  } else {
    const who = node === undefined ? 'subnet ' : `node ${node}`.padEnd(7)
    const word = level === 'info' ? '' : `${level}: `
    terminal.answer(`${localTime(new Date(at))}  ${who}  ${word}${oneLine(text)}`)
  }
}
