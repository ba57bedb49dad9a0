/**
 * Goal: whole nodes of which f lie come to their keys, their stock and equal states, and blame
 * nobody but who lied (threshold §22.4, "f byzantine").
 * Method: the liar of `ckbtc subnet corrupt-node` between one of four nodes and the others, from
 * before the first key on.
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { anonymous } from '../../src/core/ic/principal.ts'
import type { Lie } from '../../src/core/subnet/lies.ts'
import type { ReadStateOutcome } from '../../src/core/subnet/node-io.ts'
import { canistersAt } from '../../src/wallet/canisters.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { SubnetNet } from '../support/subnet-net.ts'

const LIAR = 0
const HONEST = [1, 2, 3]

const table: readonly (readonly [Lie, RegExp | undefined])[] = [
  [{ type: 'silent' }, undefined],
  [{ type: 'slow', delayMs: 1 }, undefined],
  [{ type: 'bad-share' }, /InvalidCertificationShare/],
  // Both kinds of bad dealings: refused by all, and found out by the victim alone.
  [{ type: 'bad-dealing' }, /(?:InvalidProof|InvalidCommitment).*BadShare: proven by node/s],
  [{ type: 'bad-opening' }, undefined],
  [{ type: 'bad-complaint' }, /InvalidProof|InvalidComplaint/],
  [{ type: 'equivocate' }, /Equivocation/],
  [{ type: 'random' }, /BadEncoding/],
]

/** The state of one node under the signature that it makes of the shares it has. */
function certificateOf(net: SubnetNet, node: number): ReadStateOutcome {
  const read = {
    scope: 'canister',
    effectiveId: ownCanisterIds.ledger,
    version: 3,
    sender: anonymous,
    targets: undefined,
    paths: [[utf8('time')]],
  } as const
  const { answer, outputs } = net.node(node).ask({ type: 'readState', read }, net.now)
  for (const output of outputs)
    if (output.type === 'fault')
      net.faults.push(`${node} blames ${output.culprit}: ${output.reason}`)
  if (answer.type !== 'readState') throw new RangeError(answer.type)
  return answer.outcome
}

describe('§22.4 byzantine: one of four nodes that lies', () => {
  it.each(table)('$type: the others go on as one, and blame it alone', async (lie, blame) => {
    const net = new SubnetNet(4)
    net.corrupt(LIAR, lie)
    net.settle()
    net.mine(3, regtestWallet('payer').script)
    net.pass(1_000)
    const keys = HONEST.map((node) => net.node(node).publicKey)
    expect(keys.every((key) => key !== undefined && String(key) === String(keys[0]))).toBe(true)
    const roots = HONEST.map((node) => String(net.node(node).root))
    expect(new Set(roots).size).toBe(1)
    expect(net.node(1).replica.bitcoinHeight).toBe(3)
    const { ledger: ledgerId, minter: minterId } = ownCanisterIds
    const deployment = {
      url: 'http://127.0.0.1',
      rootKey: present(net.backend.rootKey, 'a root is certified'),
      ledgerId,
      minterId,
      masterPublicKey: present(keys[0], 'the key is made'),
    }
    const user = devUser(0)
    const canisters = canistersAt(deployment, { signer: user, fetch: net.fetch })
    // Verified by the wallet: the certificate, and the address under the key.
    const { address } = await canisters.depositAddress({ owner: user.principal })
    expect(address).toMatch(/^bcrt1q/)
    for (const node of HONEST) expect(certificateOf(net, node).type).toBe('certificate')
    const seen = net.faults.filter((fault) => !fault.startsWith(`${LIAR} `))
    expect(seen.filter((fault) => !fault.includes(`blames ${LIAR}:`))).toEqual([])
    if (blame !== undefined) expect(seen.join('\n')).toMatch(blame)
    net.corrupt(LIAR, undefined)
    net.mine(1, regtestWallet('payer').script)
    net.pass(1_000)
    expect(net.node(1).replica.bitcoinHeight).toBe(4)
  })
})
