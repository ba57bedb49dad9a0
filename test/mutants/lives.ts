/** Mutants of the return of a node: who is silent, which life counts, what is kept. */
import type { Mutant } from './mutant.ts'

const life = (
  name: string,
  file: string,
  change: { readonly from: string; readonly to: string },
  ...tests: readonly string[]
): Mutant => ({ name, file: `${file}.ts`, ...change, tests })

const OWN = 'core/subnet/own-life.test.ts'
const LOG = 'core/subnet/lives.test.ts'

const silence: readonly Mutant[] = [
  life(
    'a node votes although it has forgotten what it said',
    'log/witness',
    { from: '||= last.slot >= record.first', to: '||= last.slot < 0n' },
    'sim/log-return.sim.ts',
    `${OWN}#no record`,
  ),
  life(
    'votes of a life that its log does not know yet are passed over',
    'log/witness',
    { from: 'this.#otherLife >= next', to: 'this.#otherLife < -1n' },
    `${OWN}#later life`,
  ),
  life(
    'a node believes whoever shows it votes',
    'log/witness',
    { from: 'if (last !== undefined && !this', to: 'if (last === undefined && !this' },
    `${OWN}#forged`,
  ),
  life(
    'a node votes after n − f − 1 answers',
    'log/witness',
    { from: 'this.#shown.size + 1 >=', to: 'this.#shown.size + 2 >=' },
    `${OWN}#itself included`,
  ),
  life(
    'votes of another life of their node count',
    'log/early-votes',
    { from: 'one.life === lifeOf(node, slot)', to: 'lifeOf(node, slot) >= 0n' },
    'core/log/early-votes.test.ts',
  ),
]

const returns: readonly Mutant[] = [
  life(
    'a life counts in the slot that holds its return',
    'subnet/lives',
    { from: 'one.slot < slot', to: 'one.slot <= slot' },
    `${LOG}#up to the slot`,
  ),
  life(
    'a node returns as often as it likes',
    'subnet/lives',
    { from: 'slot - last.slot >= RETURN_SLOTS', to: 'slot >= last.slot' },
    `${LOG}#second return`,
  ),
  life(
    'a life that was over may come back',
    'subnet/lives',
    { from: ' || this.knows(node, life)', to: '' },
    `${LOG}#votes back`,
  ),
  life(
    'anybody returns anybody',
    'subnet/lives',
    { from: ' || !this.#isSigned(item)', to: '' },
    `${LOG}#no trace`,
  ),
  life(
    'a life is not kept',
    'subnet/own-life',
    { from: 'key: this.#key, value', to: "key: '', value" },
    `${OWN}#records a life`,
  ),
  life(
    'votes of the life before are kept',
    'subnet/own-life',
    { from: 'keys: forgotten', to: 'keys: []' },
    `${OWN}#forgets its votes`,
  ),
  life(
    'a return is offered while it cannot count',
    'subnet/own-life',
    { from: 'if (lives.mayReturn(config.me, slot))', to: 'if (slot >= 0n)' },
    `${OWN}#older than that life`,
  ),
  life(
    'a life that may have been refused is offered again',
    'subnet/own-life',
    { from: "this.#isFresh ? undefined : 'renew'", to: 'undefined' },
    `${OWN}#draws again`,
  ),
]

export const lifeMutants: readonly Mutant[] = [...silence, ...returns]
