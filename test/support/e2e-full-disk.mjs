/**
 * A subnet of one node whose user mints one token after the other and says which block each is in,
 * until told to end (SIGTERM), or until there is no more answer. Standard output: a line for each.
 */
import { writeSync } from 'node:fs'
import { furtherToken } from '../../dist/core/ic/canister-ids.js'
import { embeddedMinter } from '../../dist/core/subnet/settings.js'
import { systemClock } from '../../dist/host/clock.js'
import { LocalSubnet } from '../../dist/host/local-subnet.js'
import { canistersAt } from '../../dist/wallet/canisters.js'
import { devUser } from '../../dist/wallet/identity.js'

const [directory] = process.argv.slice(2)
const user = devUser(3)
const say = (line) => writeSync(1, `${line}\n`)
const token = {
  tokenName: 'Full',
  tokenSymbol: 'FULL',
  decimals: 8,
  transferFee: 10n,
  memoLengthMax: 32,
  metadata: [],
  mintingAccount: { owner: user.principal },
  initialBalances: [],
  tokenWidth: 64,
  archiveOptions: {},
}
const local = await LocalSubnet.start({
  nodes: 1,
  stockTarget: 0,
  creationMax: 1,
  minter: embeddedMinter,
  ledgers: { ckbtc: {}, tokens: [token] },
  directory,
  isolation: 'inline',
  snapshotLogMin: 4_096,
})
const wanted = () => local.rootKey === undefined || local.publicKey === undefined
while (wanted()) await local.happening(1_000)
const ledger = furtherToken(0).ledger
const canisters = canistersAt(
  {
    url: 'http://127.0.0.1',
    rootKey: local.rootKey,
    ledgerId: ledger,
    minterId: local.ids.minter,
    masterPublicKey: Buffer.from(local.publicKey, 'hex'),
  },
  { signer: user, fetch: local.fetch },
)
const blocks = await canisters.blocks()
for (const [i, { transaction }] of blocks.entries()) say(`is ${i} ${transaction.amount}`)
say('ready')
let ending = false
process.on('SIGTERM', () => {
  ending = true
})
try {
  for (let amount = 1_000n + BigInt(blocks.length); !ending; amount++) {
    const transfer = { to: { owner: devUser(0).principal }, amount, createdAtTime: systemClock() }
    const index = await Promise.race([canisters.transfer(transfer), local.broken])
    say(`ok ${index} ${amount}`)
  }
  await local.close()
  say('closed')
} catch (error) {
  say(`failed ${error.code} ${error.message}`)
  // Whoever asks now is told the same, or nothing.
  const late = canisters.transfer({ to: { owner: devUser(0).principal }, amount: 7n })
  const pause = new Promise((resolve) => setTimeout(resolve, 2_000, 'silence'))
  say(
    `late ${await Promise.race([
      late.then(
        () => 'ok',
        () => 'refused',
      ),
      pause,
    ])}`,
  )
  process.exit(3)
}
