/** What each operation of the control port does. Implements `docs/spec/cli.md` §§5.16 to 5.18. */
import { Problem, SigningStalled } from '../../core/base/errors.ts'
import { agreementQuorum } from '../../core/base/party.ts'
import { minterInterface } from '../../core/minter/interface/interface.ts'
import { bitcoinInterface } from '../../core/subnet/bitcoin-interface.ts'
import { checkerInterface } from '../../core/subnet/checker-interface.ts'
import { AttachedBitcoin } from '../bitcoin/attached-node.ts'
import { readAccount } from '../control/account-shape.ts'
import type { ReplyOf, RequestOf } from '../control/protocol.ts'
import type { LocalSubnet } from '../local-subnet.ts'
import { AttachedOperations } from './attached-operations.ts'
import { askNodes } from './attached-status.ts'
import { BitcoinOperations } from './bitcoin-operations.ts'
import { setCheckerMode } from './checker-mode.ts'
import type { ControlHandlers } from './control-server.ts'
import { statusOf } from './description.ts'
import { changeLedger, ledgerChangeOf } from './ledger-upgrade.ts'
import { settleLosses } from './losses.ts'
import { changeMinter, wantedOf } from './minter-upgrade.ts'
import { NodeOperations } from './node-operations.ts'
import { callAsOperator } from './operator.ts'
import { OperatorSigner } from './operator-signer.ts'
import { withEvidence } from './outgoing-evidence.ts'
import type { Running } from './running.ts'

export function controlHandlers(running: Running): ControlHandlers {
  const { local, operator, stop } = running
  const { backend } = local.subnet
  const signer = new OperatorSigner(running)
  const nodes = new NodeOperations(local)
  return {
    status: () => statusOf(running),
    stop: () => {
      setImmediate(stop) // The answer leaves first.
      return {}
    },
    nodes: () => nodes.nodes(),
    'kill-node': (request) => nodes.kill(request),
    'heal-node': (request) => nodes.heal(request),
    'corrupt-node': (request) => nodes.corrupt(request),
    ...chainHandlers(running),
    'deposit-address': (request) => depositAddress(running, request),
    'signer-info': () => signer.info(),
    'signer-public-key': (request) => signer.publicKey(request),
    'signer-refresh': () => signer.refresh(),
    'signer-sign': (request) => signer.sign(request),
    flag: async (request) => {
      const target = {
        canisterId: local.ids.checker,
        methodName: 'x_flag',
        method: checkerInterface.x_flag,
      }
      const isTaken = await callAsOperator({ backend, operator }, target, [request])
      if (!isTaken) throw notFlaggable(request.target)
      return {}
    },
    'minter-settings': (request) => changeMinter({ backend, operator }, local, wantedOf(request)),
    'ledger-settings': (request) =>
      changeLedger(
        { backend, operator },
        { ids: local.ids, tokens: running.settings.tokens },
        ledgerChangeOf(request),
      ),
    losses: async (request) => {
      await settleLosses({ backend, operator }, local, request)
      return {}
    },
    'checker-mode': async (request) => {
      await setCheckerMode({ backend, operator }, local, request)
      return {}
    },
  }
}

type ChainOperation =
  | 'mine'
  | 'faucet'
  | 'reorg'
  | 'tip'
  | 'tx'
  | 'output'
  | 'sightings'
  | 'send'
  | 'fee'
  | 'minimum-fee'

/** Of a chain that is not the subnet's own much is refused. */
function chainHandlers({
  local,
  settings,
  operator,
}: Running): Pick<ControlHandlers, ChainOperation> {
  const { chain, subnet } = local
  if (chain instanceof AttachedBitcoin) {
    const attached = new AttachedOperations(chain)
    return {
      mine: () => attached.refuse('mine'),
      faucet: () => attached.refuse('faucet'),
      reorg: () => attached.refuse('reorg'),
      fee: () => attached.refuse('fee'),
      'minimum-fee': () => attached.refuse('minimum-fee'),
      tip: () => attached.tip(),
      tx: async (request) =>
        attached.tx(request, [...(await askNodes(local)), { transactions: chain.report() }]),
      output: (request) => attached.output(request),
      sightings: () => ({ outputs: [] }), // The adapter is told of blocks alone.
      send: (request) => attached.send(request),
    }
  }
  const bitcoin = new BitcoinOperations(chain, settings.minConfirmations)
  return {
    mine: (request) => bitcoin.mine(request),
    faucet: (request) => bitcoin.faucet(request),
    reorg: (request) => bitcoin.reorg(request),
    tip: () => bitcoin.tip(),
    tx: async (request) => {
      const found = bitcoin.tx(request)
      return found && withEvidence(found, await askNodes(local))
    },
    output: (request) => bitcoin.output(request),
    sightings: (request) => bitcoin.sightings(request),
    send: (request) => bitcoin.send(request),
    'minimum-fee': (request) => bitcoin.minimumFee(request),
    fee: async ({ rateMsatPerVb }) => {
      await setFeeLevel({ backend: subnet.backend, operator }, local, rateMsatPerVb)
      return {}
    },
  }
}

/** Asked of the minter as anybody may, which then watches the address (minter §22, 1). */
async function depositAddress(
  { local, operator }: Running,
  { account }: RequestOf<'deposit-address'>,
): Promise<ReplyOf<'deposit-address'>> {
  const { backend, up, size, canProgress } = local.subnet
  if (!canProgress)
    throw new SigningStalled({
      nodes: size,
      nodesUp: up.length,
      nodesNeeded: agreementQuorum(size),
    })
  const target = {
    canisterId: local.ids.minter,
    methodName: 'get_btc_address',
    method: minterInterface.get_btc_address,
  }
  try {
    const args = readAccount(account)
    return { address: await callAsOperator({ backend, operator }, target, [args]) }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'CONFIG_INVALID') throw error
    throw new Problem('ACCOUNT_INVALID', 'the minter credits nobody for this account', {
      fix: 'give the account of a key, or a Bitcoin address',
    })
  }
}

const notFlaggable = (target: string): Problem =>
  new Problem('USAGE_INVALID', `the checker cannot flag "${target}"`, {
    fix: 'give <txid>:<vout> of a coin, or a Bitcoin address of the local network',
    command: 'ckbtc bitcoin flag --help',
  })

/** Undefined: no level, estimates follow the chain. */
export async function setFeeLevel(
  caller: Parameters<typeof callAsOperator>[0],
  { ids }: Pick<LocalSubnet, 'ids'>,
  rateMsatPerVb: number | bigint | undefined,
): Promise<void> {
  const target = {
    canisterId: ids.bitcoin,
    methodName: 'x_set_fee_level',
    method: bitcoinInterface.x_set_fee_level,
  }
  const rate = rateMsatPerVb === undefined ? undefined : BigInt(rateMsatPerVb)
  await callAsOperator(caller, target, [{ rateMsatPerVb: rate }])
}
