/** `ckbtc subnet status`. Implements `docs/spec/cli.md` §5.16, `docs/spec/ic-interface.md` §23. */
import type { StatusReply } from '../../host/control/protocol.ts'
import { openControl } from '../../host/daemon.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { printLocal } from '../local-network.ts'
import { printStatus, subnetData } from './description.ts'

export async function status(
  { options }: Invocation,
  { terminal, directories, signal }: Context,
): Promise<void> {
  const control = await openControl(directories)
  const found = await control.ask('status', {}, { signal })
  const tool = options.text('printConfig')
  const config = tool === undefined ? undefined : configFor(tool, found)
  printLocal(terminal, {
    schema: 'subnet-status',
    data: config === undefined ? subnetData(found) : { tool, config },
    essential: config ?? found.url,
    print: () => (config === undefined ? printStatus(terminal, found) : terminal.answer(config)),
  })
}

/** Lines that another tool needs; the choices of `--print-config`. */
export function configFor(tool: string, { url, rootKey, ids }: StatusReply): string {
  switch (tool) {
    case 'dfx':
      return JSON.stringify({ ckbtc: { providers: [url], type: 'ephemeral' } }, undefined, 2)
    case 'icp':
      return [
        'networks:',
        '  - name: ckbtc',
        '    mode: connected',
        `    url: ${url}`,
        `    root-key: ${rootKey}`,
      ].join('\n')
    case 'js':
      return [
        "import { HttpAgent } from '@icp-sdk/core/agent'",
        '',
        `const rootKey = Uint8Array.from(Buffer.from('${rootKey}', 'hex'))`,
        `const agent = await HttpAgent.create({ host: '${url}', rootKey })`,
        `const ledgerId = '${ids.ledger}'`,
        `const minterId = '${ids.minter}'`,
        `const indexId = '${ids.index}'`,
      ].join('\n')
    default:
      return [
        'export CKBTC_NETWORK=local',
        `export CKBTC_URL=${url}`,
        `export CKBTC_LEDGER_ID=${ids.ledger}`,
        `export CKBTC_MINTER_ID=${ids.minter}`,
        `export CKBTC_INDEX_ID=${ids.index}`,
        `export CKBTC_ROOT_KEY=${rootKey}`,
      ].join('\n')
  }
}
