/** The running subnet as its descriptor and its status show it. Source: `docs/spec/cli.md` §5.16. */
import { fromHex, toHex } from '../../core/base/bytes.ts'
import { present } from '../../core/base/errors.ts'
import { agreementQuorum } from '../../core/base/party.ts'
import { textOfAccount } from '../../core/ic/account.ts'
import { furtherToken } from '../../core/ic/canister-ids.ts'
import { selfAuthenticating, textOfPrincipal } from '../../core/ic/principal.ts'
import { encodePublicKey } from '../../core/ic/public-key.ts'
import type { SubnetDescriptor } from '../../core/ic/subnet-descriptor.ts'
import { AttachedBitcoin } from '../bitcoin/attached-node.ts'
import type { StatusReply } from '../control/protocol.ts'
import type { LocalSubnet } from '../local-subnet.ts'
import { textOfMiningMode } from '../mining-mode.ts'
import type { SubnetSettings } from '../subnet-settings.ts'
import { IMPLEMENTATION } from '../version.ts'
import { askNodes, attachedStatus } from './attached-status.ts'
import { outgoingEvidence } from './outgoing-evidence.ts'
import type { Places } from './places.ts'
import { diskBytes } from './places.ts'

export function descriptorOf({
  local,
  settings,
  url,
  places,
}: {
  readonly local: LocalSubnet
  readonly settings: SubnetSettings
  readonly url: string
  readonly places: Places
}): SubnetDescriptor {
  const rootKey = present(local.rootKey, 'a described subnet has a root key')
  const { ledger, minter, index, checker, bitcoin } = local.ids
  return {
    pid: process.pid,
    url,
    controlPath: places.control,
    startedAt: new Date().toISOString(),
    rootKey,
    subnetId: selfAuthenticating(rootKey),
    nodeKeys: local.subnet.members.map(({ signingKey }) => {
      const publicKey = encodePublicKey({ type: 'ed25519', key: signingKey })
      return { id: selfAuthenticating(publicKey), publicKey }
    }),
    masterPublicKey: fromHex(present(local.publicKey, 'a described subnet has a key')),
    ids: { ledger, minter, index, checker, bitcoin },
    nodes: settings.nodes,
    network: settings.bitcoin?.network ?? 'regtest',
    mining: settings.bitcoin === undefined ? textOfMiningMode(settings.mining) : 'none',
    tokens: settings.tokens.map(({ tokenSymbol: symbol, tokenName: name, ...rest }, k) => {
      const canisters = furtherToken(k)
      const { decimals, mintingAccount } = rest
      return {
        symbol,
        name,
        decimals,
        mintingAccount,
        ledger: canisters.ledger,
        index: canisters.index,
      }
    }),
  }
}

export async function statusOf({
  local,
  settings,
  descriptor,
  places,
  isEphemeral,
}: {
  readonly local: LocalSubnet
  readonly settings: SubnetSettings
  readonly descriptor: SubnetDescriptor
  readonly places: Places
  readonly isEphemeral: boolean
}): Promise<StatusReply> {
  const { pid, url, rootKey, subnetId, masterPublicKey, ids, nodes, mining, startedAt } = descriptor
  const answers = await askNodes(local)
  const { health, certifiedSlot } = local.subnet.backend.status
  return {
    version: IMPLEMENTATION,
    pid,
    url,
    rootKey: toHex(rootKey),
    subnetId: textOfPrincipal(subnetId),
    ids: {
      ledger: textOfPrincipal(ids.ledger),
      minter: textOfPrincipal(ids.minter),
      index: textOfPrincipal(ids.index),
      checker: textOfPrincipal(ids.checker),
      bitcoin: textOfPrincipal(ids.bitcoin),
    },
    tokens: descriptor.tokens.map((token) => ({
      ...token,
      mintingAccount: textOfAccount(token.mintingAccount),
      ledger: textOfPrincipal(token.ledger),
      index: textOfPrincipal(token.index),
    })),
    idsKind: settings.ids,
    nodes,
    nodesUp: local.subnet.up.map((node) => node + 1),
    nodesNeeded: agreementQuorum(nodes),
    nodesLying: local.subnet.up.flatMap((node) =>
      local.subnet.lieOf(node) === undefined ? [] : [node + 1],
    ),
    isolation: settings.isolation,
    problems: problemsOf(local),
    alarms: local.alarms,
    waitingCalls: local.subnet.waitingCalls,
    waitingSignatures: local.openRequests,
    masterPublicKey: toHex(masterPublicKey),
    bitcoinHeight: local.chain.height,
    subnetBitcoinHeight: local.bitcoinHeight,
    attached: attachedStatus(local, answers),
    outgoing: outgoingEvidence(answers),
    minConfirmations: settings.minConfirmations,
    mining,
    waitingTransactions: waitingOn(local.chain),
    presignatures: local.stock,
    certifiedSlot,
    health,
    startedAt,
    uptimeMs: Date.now() - Date.parse(startedAt),
    isEphemeral,
    diskBytes: isEphemeral ? undefined : diskBytes(places.state),
  }
}

const waitingOn = (chain: LocalSubnet['chain']): number =>
  chain instanceof AttachedBitcoin ? chain.waiting : chain.waiting.length

function problemsOf({ subnet }: LocalSubnet): StatusReply['problems'] {
  const all = Array.from({ length: subnet.size }, (_, node) => node)
  return all.flatMap((node) => {
    const problem = subnet.problemOf(node)?.message
    return problem === undefined ? [] : [{ node: node + 1, problem }]
  })
}
