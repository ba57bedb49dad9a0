/** Mutants of the face of the minter: who comes in, what is credited, cached, checked, upgraded. */
import type { Mutant } from './mutant.ts'

const mutant = (
  name: string,
  file: string,
  change: { readonly from: string; readonly to: string },
  ...tests: readonly string[]
): Mutant => ({ name, file: `${file}.ts`, ...change, tests })

const GUARDS = 'core/minter/guards.test.ts'
const SLOTS = 'core/subnet/minter-slots.test.ts'
const UPGRADE = 'core/subnet/minter-upgrade.test.ts'
const CACHE = 'core/minter/utxo-cache.test.ts'
const HOSTILE = 'core/minter/hostile-input.test.ts'
const CHECKER = 'core/subnet/checker-canister.test.ts'
const CONSENT = 'core/minter/consent.test.ts'

const guards: readonly Mutant[] = [
  mutant(
    'an account is free as soon as its call has ended',
    'minter/guards',
    { from: 'if (!stays) inside.delete(key)', to: 'inside.delete(key)' },
    GUARDS,
    SLOTS,
  ),
  mutant(
    'an account stays inside although nobody was asked',
    'minter/guards',
    { from: 'let stays = false', to: 'let stays = callsOverlap' },
    `${GUARDS}#asked for nothing outside`,
  ),
  mutant(
    'the end of a slot lets nobody go',
    'subnet/replica',
    { from: '    minter.endSlot(this.#state.minter)\n', to: '' },
    `${SLOTS}#already processing`,
  ),
  mutant(
    'one account more than the limit comes in',
    'minter/guards',
    { from: 'inside.size >= concurrentMax', to: 'inside.size > concurrentMax' },
    `${GUARDS}#23.40`,
  ),
  mutant(
    'a call behind a block that reorganises sees the coins of before',
    'subnet/replica',
    { from: '    this.#tellMinter(this.#tipWatch.beforeCall(), now)\n', to: '' },
    `${SLOTS}#23.48`,
    `${SLOTS}#finds the lost coin lost`,
  ),
  mutant(
    'a chain that comes back in the slot is not looked at again',
    'subnet/tip-watch',
    { from: '[this.#state.tipSeen, this.#told]', to: '[this.#state.tipSeen]' },
    `${SLOTS}#comes back`,
  ),
]

const upgrades: readonly Mutant[] = [
  mutant(
    'anybody upgrades the minter',
    'subnet/minter-canister',
    {
      from: 'operatorOnly(caller, controller, () => this.#upgrade',
      to: 'operatorOnly(caller, caller, () => this.#upgrade',
    },
    `${UPGRADE}#alone`,
  ),
  mutant(
    'a refused upgrade leaves its event in the log',
    'minter/machine',
    { from: 'const next = copyOfLog(log)', to: 'const next = log' },
    `${UPGRADE}#23.4`,
  ),
  mutant(
    'an invalid configuration is upgraded to',
    'minter/machine',
    {
      from: 'const problem = invalidity(replayed.config)',
      to: 'const problem = invalidity(state.config)',
    },
    `${UPGRADE}#23.4`,
    'core/minter/lifecycle.test.ts#23.4',
  ),
  mutant(
    'an upgrade forgets that coins may be lost',
    'minter/machine',
    { from: 'to.mustLook = true', to: 'to.mustLook = false' },
    'core/minter/lost-coins.test.ts#an upgrade',
  ),
  mutant(
    'an upgrade drops the key',
    'subnet/minter-canister',
    { from: 'if (root !== undefined)', to: 'if (root === undefined)' },
    `${UPGRADE}#what it does not name stays`,
  ),
]

const credits: readonly Mutant[] = [
  mutant(
    'a coin that was credited is processed again',
    'minter/deposits/deposit',
    { from: 'utxo.value === 0n || mintedOutpoints.has(key)', to: 'utxo.value === 0n' },
    'core/minter/deposit.test.ts#23.25',
    `${CACHE}#23.43`,
  ),
  mutant(
    'a cached answer outlives the payment that spends its coin',
    'minter/deposits/spent-answers',
    { from: "if (type === 'sentTransaction') return payload.utxos", to: '' },
    `${CACHE}#23.43`,
  ),
  mutant(
    'a cached answer outlives the end of its coin',
    'minter/deposits/spent-answers',
    { from: "=== 'confirmedTransaction' ? inputsOf(payload.txid)", to: "=== 'init' ? []" },
    `${CACHE}#23.43`,
  ),
  mutant(
    'a cached answer outlives a reorganisation',
    'minter/machine',
    { from: 'if (notice.isReorganised) context', to: 'if (!notice.isReorganised) context' },
    `${CACHE}#blocks leave`,
  ),
  mutant(
    'a cached answer serves for ever',
    'minter/deposits/utxo-cache',
    { from: 'found === undefined || now - found.at > expiration', to: 'found === undefined' },
    `${CACHE}#23.42`,
  ),
  mutant(
    'automatic minting believes the cache',
    'minter/deposits/deposit',
    {
      from: '? creditAccount(context, account, utxosOf)',
      to: '? creditAccount(context, account, cachedUtxosOf)',
    },
    `${CACHE}#automatic minting`,
  ),
  mutant(
    'a coin with two values is worth one of them',
    'minter/deposits/deposit',
    { from: '!contradictory.has(key)', to: 'key !== undefined' },
    `${HOSTILE}#two values`,
  ),
  mutant(
    'a coin is as deep as the view was asked for',
    'minter/deposits/deposit',
    { from: 'tipHeight - utxo.height + 1 >= depth', to: 'depth > 0' },
    `${HOSTILE}#not deep enough`,
    `${HOSTILE}#above its tip`,
  ),
  mutant(
    'a coin that was suspended for another account stays so',
    'minter/apply/apply-deposits',
    { from: 'suspended?.delete(key)', to: 'suspended?.has(key)' },
    `${HOSTILE}#too small for one`,
  ),
]

const judged: readonly Mutant[] = [
  mutant(
    'capital letters get a flagged address through',
    'subnet/checker-canister',
    { from: 'flagged.has(address))', to: 'flagged.has(text))' },
    `${CHECKER}#flagged address`,
  ),
  mutant(
    'a check that nobody could make passes',
    'subnet/checker-canister',
    { from: "return { type: 'retriable', message", to: "return { type: 'passed', message" },
    `${CHECKER}#under way`,
  ),
  mutant(
    'a message may hold lines that its argument made up',
    'minter/interface/consent',
    { from: '/^[!-_a-~]+$/', to: '/^[^]*$/' },
    `${CONSENT}#pose as`,
  ),
  mutant(
    'a piece of an address is left out',
    'minter/interface/consent',
    {
      from: 'Math.ceil(content.length / PIECE_LENGTH)',
      to: 'Math.floor(content.length / PIECE_LENGTH)',
    },
    `${CONSENT}#four pieces`,
  ),
]

export const minterFaceMutants: readonly Mutant[] = [...guards, ...upgrades, ...credits, ...judged]
