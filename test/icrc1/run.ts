/**
 * `npm run icrc1`: the ICRC-1 suite against any ledger. Status 0: no group failed; 1: some did;
 * 2: it was not asked for in the right way.
 */
import { parseArgs } from 'node:util'
import { Principal } from '@icp-sdk/core/principal'
import { installSha256 } from '../../src/core/base/hash.ts'
import { nativeSha256 } from '../../src/native/sha256.ts'
import { sdkIdentity } from '../../src/wallet/client/sdk-identity.ts'
import { keyOf } from './identity.ts'
import { LedgerUnderSuite } from './ledger.ts'
import { heading, line, summary } from './report.ts'
import { groupNames, runSuite } from './suite.ts'

const EXIT = { passed: 0, failed: 1, usage: 2 } as const
const HELP = `usage: npm run icrc1 -- --url <url> --canister <id> --identity <key> [options]
  --url <url>        of the network, e.g. http://127.0.0.1:4943
  --canister <id>    the ledger
  --identity <key>   whose account pays: a PEM file, a seed phrase or 64 hexadecimal digits of an
                     Ed25519 seed (or a file with one of them), or dev0 to dev4 of a local subnet
  --fetch-root-key   ask the network for its root key: any but the Internet Computer
  --queries          read balances by queries: quicker, where no node lags behind
  --only <text>      groups whose name holds this
  --seconds <n>      patience with one group (300)
  --help             this`

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

function readOptions() {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      canister: { type: 'string' },
      identity: { type: 'string' },
      'fetch-root-key': { type: 'boolean' },
      queries: { type: 'boolean' },
      only: { type: 'string', default: '' },
      seconds: { type: 'string', default: '300' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return undefined
  const { url, canister, identity, only } = values
  if (url === undefined || canister === undefined || identity === undefined)
    throw new RangeError('--url, --canister and --identity are needed')
  const groupMs = Number(values.seconds) * 1_000
  if (!(groupMs > 0)) throw new RangeError('--seconds is a number above 0')
  const names = groupNames.filter((name) => name.includes(only))
  if (names.length === 0) throw new RangeError(`no group is called like "${only}"`)
  const ledger = {
    url,
    canisterId: Principal.fromText(canister),
    identity: sdkIdentity(keyOf(identity)),
    fetchRootKey: values['fetch-root-key'],
    readsAreQueries: values.queries,
  }
  return { ledger, names, groupMs }
}

async function play({
  ledger,
  names,
  groupMs,
}: NonNullable<ReturnType<typeof readOptions>>): Promise<number> {
  say(heading(names.length))
  say(`# ledger ${ledger.canisterId} at ${ledger.url}, paid by ${ledger.identity.getPrincipal()}`)
  let number = 0
  const verdicts = await runSuite(await LedgerUnderSuite.open(ledger), {
    names,
    groupMs,
    onVerdict: (verdict) => say(line(++number, verdict)),
  })
  say(summary(verdicts))
  return verdicts.some(({ type }) => type === 'failed') ? EXIT.failed : EXIT.passed
}

async function main(): Promise<number> {
  installSha256(nativeSha256)
  let options: ReturnType<typeof readOptions>
  try {
    options = readOptions()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${HELP}\n`)
    return EXIT.usage
  }
  if (options !== undefined) return play(options)
  say(HELP)
  return EXIT.passed
}

// What a group that ran out of time still waits for ends here.
process.exit(
  await main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    return EXIT.failed
  }),
)
