/** The task as `@dfinity/agent` 3.4 does it, with everything verified. */
import {
  Actor,
  Certificate,
  HttpAgent,
  lookupResultToBuffer,
  pollForResponse,
} from '@dfinity/agent'
import { IDL } from '@dfinity/candid'
import { Ed25519KeyIdentity } from '@dfinity/identity'
import { Principal } from '@dfinity/principal'
import { useEndpoints } from '../endpoints.mjs'
import { account, label, ledgerIdl, noArguments, transfer, wordsOf } from '../ledger.mjs'

export async function useLedger({ url, ledgerId, secret, to, amount }) {
  const identity = Ed25519KeyIdentity.fromSecretKey(secret)
  const agent = await HttpAgent.create({ host: url, identity, shouldFetchRootKey: true })
  const canisterId = Principal.fromText(ledgerId)
  const ledger = Actor.createActor(ledgerIdl, { agent, canisterId })
  const own = account(identity.getPrincipal())
  const payee = Principal.fromText(to)

  const before = await ledger.icrc1_balance_of(own)
  const { Ok: block } = await ledger.icrc1_transfer(transfer(payee, amount))
  const after = await ledger.icrc1_balance_of(own)
  const { Err: refusal } = await ledger.icrc1_transfer(transfer(payee, 10n ** 15n))
  const rejects = [await wordsOf(ledger.no_call()), await wordsOf(ledger.no_query())]

  const fee = { methodName: 'icrc1_fee', arg: noArguments, effectiveCanisterId: canisterId }
  const { requestId } = await agent.call(canisterId, { ...fee, callSync: false })
  const { reply } = await pollForResponse(agent, canisterId, requestId)

  const path = [label('request_status'), requestId, label('status')]
  const state = await agent.readState(canisterId, { paths: [path] })
  const certificate = await Certificate.create({
    certificate: state.certificate,
    rootKey: agent.rootKey,
    canisterId,
  })
  const status = lookupResultToBuffer(certificate.lookup_path(path))
  const time = lookupResultToBuffer(certificate.lookup_path(['time']))
  return {
    before,
    block,
    after,
    refusal: Object.keys(refusal).join(),
    rejects,
    polled: new Uint8Array(reply),
    status: new TextDecoder().decode(status),
    hasTime: time !== undefined,
  }
}

export async function useEvery(task) {
  const identity = Ed25519KeyIdentity.fromSecretKey(task.secret)
  const agent = await HttpAgent.create({ host: task.url, identity, shouldFetchRootKey: true })
  return useEndpoints({ Actor, IDL, Principal, agent }, identity.getPrincipal(), task)
}
