/** Mutants of tokens beside ckBTC, of what they are founded with, and of upgrades. */
import type { Mutant } from './mutant.ts'

const tokens = 'core/subnet/tokens.test.ts'
const files = 'host/token-file.test.ts'
const upgrades = 'host/daemon/ledger-upgrade.test.ts'
const init = 'ledger/interface/init-interface.ts'

export const tokenMutants: readonly Mutant[] = [
  {
    name: 'every further token has the ids of the first',
    file: 'subnet/token-canisters.ts',
    from: 'new TokenCanisters(furtherToken(k), state, operator)',
    to: 'new TokenCanisters(furtherToken(0), state, operator)',
    tests: [`${tokens}#are what their files say`],
  },
  {
    name: 'a further token names the index of another',
    file: 'subnet/replica-state.ts',
    from: 'const { index, archive } = furtherToken(k)',
    to: 'const { index, archive } = furtherToken(k + 1)',
    tests: [`${tokens}#name their own index`],
  },
  {
    name: 'ckBTC is founded without what was set',
    file: 'subnet/replica-state.ts',
    from: 'withSettings(ckbtcConfig(principals), ledgers.ckbtc)',
    to: 'withSettings(ckbtcConfig(principals), {})',
    tests: [`${tokens}#founded with what was set`],
  },
  {
    name: 'anybody upgrades a ledger',
    file: 'subnet/ledger-canister.ts',
    from: 'operatorOnly(caller, operator, () => {',
    to: 'operatorOnly(caller, caller, () => {',
    tests: [`${tokens}#of anybody else`],
  },
  {
    name: 'an upgrade that is refused happens all the same',
    file: 'subnet/ledger-canister.ts',
    from: 'decideUpgrade(this.#state, settings)\n    for (const event of events)',
    to: "decideUpgrade(this.#state, settings)\n    for (const event of events.length > 0 ? events : [{ type: 'upgraded', settings } as const])",
    tests: [`${tokens}#leaves the old state`],
  },
  {
    name: 'an init argument upgrades',
    file: init,
    from: "if (arg?.type === 'init')",
    to: "if (arg?.type === 'init' && arg.args === undefined)",
    tests: [`${tokens}#init argument`, 'core/ledger/recordings-upgrades.test.ts#init argument'],
  },
  {
    name: 'an upgrade argument installs',
    file: init,
    from: "if (arg.type === 'upgrade')",
    to: "if (arg.type === 'upgrade' && arg.args !== undefined)",
    tests: ['core/ledger/recordings-upgrades.test.ts#refused with an upgrade argument'],
  },
  {
    name: 'an upgrade leaves the archive options as they are',
    file: init,
    from: 'archiveOptions: args.changeArchiveOptions as',
    to: 'archiveOptions: undefined as',
    tests: [`${tokens}#changes what it names`, `${upgrades}#change by every name`],
  },
  {
    name: 'memos are as long as those of ckBTC where nothing is said',
    file: init,
    from: 'args.maxMemoLength ?? DEFAULT_MEMO_LENGTH_MAX',
    to: 'args.maxMemoLength ?? 80',
    tests: ['core/ledger/recordings-upgrades.test.ts#has what is left out'],
  },
  {
    name: 'calls of the first archive of a token are not handed on',
    file: 'ic/canister-ids.ts',
    from: 'role >= 4n',
    to: 'role > 4n',
    tests: ['core/ic/canister-ids.test.ts#may be a canister'],
  },
  {
    name: 'calls of tokens that a subnet does not have are handed on',
    file: 'ic/canister-ids.ts',
    from: 'place < NUMBERS_PER_TOKEN * BigInt(tokens)',
    to: 'place <= NUMBERS_PER_TOKEN * BigInt(tokens)',
    tests: ['core/ic/canister-ids.test.ts#may be a canister'],
  },
  {
    name: 'of a field that is there twice the last counts',
    file: 'base/json.ts',
    from: 'if (names?.has(name))',
    to: 'if (names === undefined)',
    tests: [`${files}#a field twice`],
  },
  {
    name: 'a token may be called as a unit, in another case',
    file: '../host/token-file.ts',
    from: 'TAKEN.includes(token.tokenSymbol.toLowerCase())',
    to: 'TAKEN.includes(token.tokenSymbol)',
    tests: [`${files}#the symbol CKBTC`],
  },
  {
    name: 'two tokens have one symbol in two cases',
    file: '../host/token-file.ts',
    from: 'tokenSymbol }) => tokenSymbol.toLowerCase())',
    to: 'tokenSymbol }) => tokenSymbol)',
    tests: [`${files}#a symbol of its own`],
  },
  {
    name: 'a token file is not judged as a ledger would be',
    file: '../host/token-file.ts',
    from: 'if (problem !== undefined) throw new BadEncoding',
    to: 'if (problem === undefined) throw new BadEncoding',
    tests: [`${files}#its minter as collector`],
  },
  {
    name: 'a subnet that has tokens is started with others',
    file: '../host/subnet-settings.ts',
    from: 'given.tokens !== undefined && !sameTokens(stored.tokens, given.tokens)',
    to: 'given.tokens !== undefined && given.tokens.length > 99',
    tests: ['host/daemon/settings.test.ts#keep the tokens'],
  },
  {
    name: 'disks do not know the tokens of their subnet',
    file: '../host/disks/founding-settings.ts',
    from: "['tokens', tokens.map(tokenText)",
    to: "['tokens', tokens.slice(99).map(tokenText)",
    tests: [`${upgrades}#is refused where a token is another`],
  },
]
