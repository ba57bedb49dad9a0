/** `ckbtc key list`. Implements `docs/spec/cli.md` §5.11. */
import { printAnswer } from '../../terminal/answer.ts'
import type { Warning } from '../../terminal/json.ts'
import { printTable } from '../../terminal/table.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { principalText } from '../../wallet/keys/describe.ts'
import type { KeyEntry } from '../../wallet/keys/key-store.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import type { KeyPorts } from '../key-ports.ts'
import { keyPorts } from '../key-ports.ts'
import { keyStoreOf, permissionWarnings } from '../keys.ts'
import { networkNameOf } from '../network-name.ts'

export async function keyList(
  _: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const { terminal } = context
  const store = keyStoreOf(context, ports)
  const { keys, broken } = store.list()
  const warnings: readonly Warning[] = [
    ...broken.map(({ problem }) => ({ code: problem.code, message: problem.message })),
    ...permissionWarnings(store),
  ]
  printAnswer(terminal, {
    schema: 'key-list',
    network: networkNameOf(context),
    data: { keys: keys.map(dataOf) },
    warnings,
    essential: keys.map(({ name }) => name).join('\n'),
    print: () => print(terminal, keys),
  })
}

const dataOf = ({ name, principal, curve, protection, isDefault, ...entry }: KeyEntry) => ({
  name,
  principal: principalText(principal),
  curve,
  protection,
  default: isDefault,
  createdAt: entry.createdAt,
  lastUsedAt: entry.usedAt,
})

const columns = ['NAME', 'PRINCIPAL', 'PROTECTION', 'DEFAULT', 'LAST USED'].map((title) => ({
  title,
}))

function print(terminal: Terminal, keys: readonly KeyEntry[]): void {
  const { plain } = terminal.settings
  if (keys.length === 0 && !plain) {
    terminal.note('No keys yet. Make one: ckbtc key generate savings')
    terminal.note('On the local network dev0 to dev4 are there without any key.')
    return
  }
  const rows = keys.map(({ name, principal, protection, isDefault, usedAt }) => [
    name,
    principalText(principal),
    protection,
    isDefault ? 'yes' : plain ? 'no' : '',
    usedAt ?? (plain ? '' : 'never'),
  ])
  printTable(terminal, columns, rows)
}
