/** What commands that move value are tried with: one network in memory, users with coins, desks. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { present } from '../../src/core/base/errors.ts'
import { Client } from '../../src/wallet/client.ts'
import { depositAddress } from '../../src/wallet/deposit-address.ts'
import type { User } from '../../src/wallet/identity.ts'
import { devUser, SecretKey } from '../../src/wallet/identity.ts'
import { Passphrase } from '../../src/wallet/keys/passphrase.ts'
import type { Operation } from '../../src/wallet/operations/operation.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { CommandDesk } from './command-desk.ts'
import { losingFetch } from './losing-fetch.ts'
import { NetworkUnderTest } from './network-under-test.ts'

export const [dev0, dev1] = [devUser(0), devUser(1)]
const saver = new SecretKey('ed25519', new Uint8Array(32).fill(3))
/** Bitcoin address of somebody else. */
export const recipient = regtestWallet('recipient').address

type Options = Readonly<Record<string, unknown>>

/** What is typed to send to `dev1`. */
export const send = (amount: string, others: Options = {}) => ({
  args: [amount],
  options: { to: 'dev1', ...others },
})

/** What is typed to redeem to `recipient`, and not to wait. */
export const redeeming = (amount: string, others: Options = {}) => ({
  args: [amount],
  options: { to: recipient, wait: false, ...others },
})

/** Of a transfer or an approval, satoshi. */
export const FEE = 10n

const LOOKS_PER_BLOCK = 1_000

export class SpendingDesks {
  readonly net: NetworkUnderTest
  readonly reader: Client
  readonly #desks: CommandDesk[] = []

  constructor(options?: ConstructorParameters<typeof NetworkUnderTest>[0]) {
    this.net = new NetworkUnderTest(options)
    this.reader = new Client({ network: this.net.network, fetch: this.net.fetch })
  }

  /** Gives `dev0` and the key "savings" a bitcoin each. */
  async fund(): Promise<void> {
    for (const user of [dev0, saver])
      this.net.pay(
        (await depositAddress(this.reader, { owner: user.principal })).address,
        100_000_000n,
      )
    this.net.mine(6)
  }

  close(): void {
    for (const desk of this.#desks) desk.close()
  }

  balanceOf(user: Pick<User, 'principal'>): Promise<bigint> {
    return this.reader.ledger.balanceOf({ owner: user.principal })
  }

  open(change: ConstructorParameters<typeof CommandDesk>[1] = {}): CommandDesk {
    const desk = new CommandDesk(this.net, change)
    this.#desks.push(desk)
    return desk
  }

  /** A network whose bitcoin is worth something, and a key that it takes. */
  async openReal() {
    const desk = this.open({
      kind: 'custom',
      name: 'mine',
      bitcoin: 'mainnet',
      nodeKeys: undefined,
    })
    const passphrase = 'correct horse'
    await desk.keys.create('savings', { type: 'key', key: saver }, new Passphrase(passphrase))
    const passphraseFile = join(desk.folder, 'passphrase')
    writeFileSync(passphraseFile, `${passphrase}\n`)
    const globals = { key: 'savings', passphraseFile, input: false }
    const settings = (text: string): void => writeFileSync(join(desk.folder, 'config.json'), text)
    return { desk, globals, settings }
  }

  /** Blocks come while somebody waits. */
  async mineUntil(isSo: () => boolean): Promise<void> {
    for (let looks = 0; !isSo(); looks++) {
      if (looks % LOOKS_PER_BLOCK === 0) this.net.mine(1)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** The desk's way to the network loses these calls, from now on. */
  lose(desk: CommandDesk, ...losses: Parameters<typeof losingFetch>[1]): void {
    desk.fetch = losingFetch(this.net.fetch, losses)
  }

  /** Calls of the desk wait at a gate on their way to the network. */
  hold(desk: CommandDesk) {
    const { fetch } = this.net
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    let isReached = false
    desk.fetch = async (input, init) => {
      if (new Request(input, init).url.endsWith('/call')) {
        isReached = true
        await opened
      }
      return fetch(input, init)
    }
    const reached = async <T>(look: () => T | undefined): Promise<T> => {
      await until(() => isReached)
      return present(look(), 'what stands at the gate')
    }
    return { open, reached }
  }

  /** And finds them again. */
  mend(desk: CommandDesk): void {
    desk.fetch = this.net.fetch
  }
}

export const fact = (operation: Operation | undefined, name: string): string =>
  String(operation?.facts[name] ?? '')

/** Looks again until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}
