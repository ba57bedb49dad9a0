/**
 * The local subnet as a process: takes the lock, starts nodes, chain and ports, says when it can be
 * used, and ends in good order. Implements `docs/spec/cli.md` §5.16, architecture §1.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hash32, toDisplayHex, toHex } from '../../core/base/bytes.ts'
import { Problem, present } from '../../core/base/errors.ts'
import { textOfPrincipal } from '../../core/ic/principal.ts'
import { lieText } from '../../core/subnet/lies.ts'
import { EmbeddedBitcoin } from '../bitcoin/embedded-node.ts'
import { recognise } from '../bitcoin/recognise.ts'
import type { AttachedPlace } from '../bitcoin-place.ts'
import type { ReplyOf } from '../control/protocol.ts'
import type { DaemonPorts, DaemonRequest } from '../daemon-request.ts'
import type { Answered } from '../ic/gateway.ts'
import { startHttpServer } from '../ic/http-server.ts'
import { isOfCkbtc } from '../ledger-values.ts'
import { LocalSubnet } from '../local-subnet.ts'
import { minterValue, shownValue } from '../minter-values.ts'
import {
  bitcoinRpcPort,
  hasSyncCalls,
  ledgerSettings,
  mempoolOptions,
  minterSettings,
  snapshotLogMin,
} from '../set-values.ts'
import type { SubnetEvent } from '../subnet-events.ts'
import type { SubnetSettings } from '../subnet-settings.ts'
import { USER_AGENT } from '../version.ts'
import { startMining } from './automatic-mining.ts'
import { FIRST_BLOCKS } from './bitcoin-operations.ts'
import { startControlServer } from './control-server.ts'
import { descriptorOf, statusOf } from './description.ts'
import { liveDescriptor, removeDescriptor, writeDescriptor } from './descriptor-file.ts'
import { controlHandlers, setFeeLevel } from './handlers.ts'
import { changeLedger } from './ledger-upgrade.ts'
import { LogFile } from './log-file.ts'
import { changeMinter } from './minter-upgrade.ts'
import { loadOperator, passingOperator } from './operator.ts'
import type { Places } from './places.ts'
import { makePrivate, placesOf } from './places.ts'
import { takeLock } from './process-lock.ts'
import { purseScript } from './purse.ts'
import type { Running } from './running.ts'
import { decideSettings, storeSettings } from './stored-settings.ts'

/** Threshold specification §23. */
const STOCK_TARGET = 5
const CREATION_MAX = 2
/** How long to sleep at most between two looks at what is waited for. */
const LOOK_AGAIN_MS = 1_000
/** How long a start waits for the chain of a node that it is attached to. */
const CATCH_UP_MS_MAX = 10_000

type Life = DaemonRequest & DaemonPorts & { readonly places: Places; readonly log: LogFile }

/**
 * Runs until it is asked to end. When another start was faster, nothing is done. Throws
 * `HOST_STATE_LOCKED`, `HOST_PORT_BUSY`, `CONFIG_INVALID`, `HOST_DISK`, `Bug`.
 */
export async function runDaemon(request: DaemonRequest, ports: DaemonPorts): Promise<void> {
  const places = placesOf(request.directories)
  const parents = [dirname(places.lock), places.runtime, dirname(places.control), places.logs]
  for (const folder of process.platform === 'win32' ? [] : parents) makePrivate(folder)
  const lock = await takeLock(
    places.lock,
    'runs the subnet',
    async () => (await liveDescriptor(places.descriptor)) !== undefined,
  )
  if (lock === undefined) return
  const log = new LogFile(places.logs, () => new Date())
  try {
    removeDescriptor(places.descriptor)
    await live({ ...request, ...ports, places, log })
    log.write('info', 'the subnet ended in good order')
  } catch (error) {
    log.write('error', error instanceof Error ? error.message : String(error))
    throw error
  } finally {
    removeDescriptor(places.descriptor)
    log.close()
    lock.release()
  }
}

async function live(life: Life): Promise<void> {
  const { places, log, given, isEphemeral, report, ending } = life
  const startedMs = performance.now()
  if (!isEphemeral) makePrivate(places.state)
  const settingsPath = isEphemeral ? undefined : places.settings
  const settings = decideSettings(settingsPath, await withNetwork(settingsPath, given))
  const operator = isEphemeral ? passingOperator() : loadOperator(places.operatorKey)
  const tell = (text: string): void => {
    log.write('info', text)
    report({ type: 'progress', text })
  }
  tell(`starting ${settings.nodes} node${settings.nodes === 1 ? '' : 's'}`)
  const closing: (() => Promise<void> | void)[] = []
  try {
    const local = await LocalSubnet.start({
      nodes: settings.nodes,
      directory: isEphemeral ? undefined : places.state,
      scratch: join(places.runtime, 'nodes'),
      stockTarget: STOCK_TARGET,
      creationMax: CREATION_MAX,
      ids: settings.ids,
      isolation: settings.isolation,
      minter: minterSettings(settings.set, settings),
      ledgers: ledgerSettings(settings),
      operator: operator.principal,
      attachTo: placeOf(settings),
      mempool: mempoolOptions(settings.set),
      syncCalls: hasSyncCalls(settings.set),
      snapshotLogMin: snapshotLogMin(settings.set),
      onAnswer: (answered) => logAnswer(log, answered),
    })
    closing.push(() => local.close())
    for (const { message } of local.subnet.problems) log.write('warn', message)
    local.subnet.listen((event) => logEvent(log, event))
    await usable(local, tell, ending)
    if (ending.aborted) return
    if (local.chain instanceof EmbeddedBitcoin) requireChain(local, places)
    await serveBitcoinRpc(local, settings, { places, tell })
    const { host, port, feeRateMsatPerVb } = settings
    const onError = (error: unknown): void =>
      log.write('error', error instanceof Error ? error.message : String(error))
    const onWarning = (words: string): void => {
      log.write('warn', words)
      report({ type: 'progress', text: `warning: ${words}` })
    }
    const http = await startHttpServer({ gateway: local.gateway, host, port, onWarning, onError })
    closing.push(() => http.close())
    const { backend } = local.subnet
    if (feeRateMsatPerVb !== undefined)
      await setFeeLevel({ backend, operator }, local, feeRateMsatPerVb)
    await upgradeTo(given.set, { local, settings, operator }, tell)
    const descriptor = descriptorOf({ local, settings, url: http.url, places })
    const asked = new AbortController()
    const stop = (): void => asked.abort()
    const running = { local, settings, operator, descriptor, places, isEphemeral, stop }
    const handlers = controlHandlers(running)
    const control = await startControlServer({ path: places.control, handlers, onError })
    closing.push(() => control.close())
    closing.push(mineBlocks(local, settings, onError))
    if (!isEphemeral) storeSettings(places.settings, settings)
    writeDescriptor(places.descriptor, descriptor)
    closing.push(() => removeDescriptor(places.descriptor))
    log.write('info', `the subnet listens at ${http.url}`)
    report({
      type: 'ready',
      status: await statusOf(running),
      startedMs: Math.round(performance.now() - startedMs),
    })
    await ended(local, AbortSignal.any([ending, asked.signal]))
  } finally {
    for (const close of closing.reverse()) await close()
  }
}

/** Of what was set, what a running canister takes: a new one has most of it already. */
async function upgradeTo(
  set: SubnetSettings['set'] = new Map(),
  { local, settings, operator }: Pick<Running, 'local' | 'settings' | 'operator'>,
  tell: (text: string) => void,
): Promise<void> {
  const caller = { backend: local.subnet.backend, operator }
  const of = (isTaken: (name: string) => boolean): SubnetSettings['set'] =>
    new Map([...set].filter(([name]) => isTaken(name)))
  const ofMinter = of((name) => minterValue(name) !== undefined)
  if (ofMinter.size > 0) tellChanges(await changeMinter(caller, local, ofMinter), tell)
  const ledgers = { ids: local.ids, tokens: settings.tokens }
  const change = { symbol: undefined, wanted: of(isOfCkbtc) }
  if (change.wanted.size > 0) tellChanges(await changeLedger(caller, ledgers, change), tell)
}

function tellChanges({ values }: ReplyOf<'minter-settings'>, tell: (text: string) => void): void {
  for (const { name, before, value } of values)
    if (value !== undefined && before !== value) {
      const was = before === undefined ? 'not set' : shownValue(name, before)
      tell(`${name} was ${was}, and is ${shownValue(name, value)} from now on`)
    }
}

/** Closes with the chain. */
async function serveBitcoinRpc(
  { chain }: LocalSubnet,
  { set }: SubnetSettings,
  { places, tell }: { readonly places: Places; readonly tell: (text: string) => void },
): Promise<void> {
  const port = bitcoinRpcPort(set)
  if (port === 0) return
  if (!(chain instanceof EmbeddedBitcoin)) {
    tell('warning: --set bitcoin.rpc has no effect on the chain of another node')
    return
  }
  const cookieFile = join(places.runtime, 'bitcoin.cookie')
  await chain.serveRpc({ port, cookieFile })
  tell(`the Bitcoin node answers JSON-RPC at http://127.0.0.1:${port}, cookie ${cookieFile}`)
}

/** A new subnet learns from the node itself which network it is on. Throws `BTC_SOURCE_UNUSABLE`. */
async function withNetwork(
  path: string | undefined,
  given: DaemonRequest['given'],
): Promise<DaemonRequest['given']> {
  if (given.bitcoin === undefined || (path !== undefined && existsSync(path))) return given
  return { ...given, bitcoin: await recognise(given.bitcoin, USER_AGENT) }
}

function placeOf({ bitcoin }: SubnetSettings): AttachedPlace | undefined {
  if (bitcoin === undefined) return undefined
  return { ...bitcoin, network: present(bitcoin.network, 'a subnet is made on a known network') }
}

/** Returns how to end it. */
function mineBlocks(
  { chain: bitcoin }: LocalSubnet,
  { mining: mode, minConfirmations: confirmations }: SubnetSettings,
  onError: (error: unknown) => void,
): () => void {
  if (!(bitcoin instanceof EmbeddedBitcoin)) return () => undefined
  const mine = (): void => void bitcoin.mine(1, purseScript)
  return startMining({ bitcoin, mine, onError, mode, confirmations })
}

/** Until clients get certificates, and the faucet has coins. */
async function usable(
  local: LocalSubnet,
  tell: (text: string) => void,
  ending: AbortSignal,
): Promise<void> {
  const { chain, subnet } = local
  const isOwn = chain instanceof EmbeddedBitcoin
  if (isOwn && chain.height === 0) chain.mine(FIRST_BLOCKS, purseScript)
  const begunMs = performance.now()
  let last = ''
  for (;;) {
    const text = whatIsMissing(local)
    if (text === undefined || ending.aborted) return
    if (text !== last) tell(text)
    last = text
    await local.happening(LOOK_AGAIN_MS)
  }

  function whatIsMissing({ publicKey, rootKey, bitcoinHeight }: LocalSubnet): string | undefined {
    if (rootKey === undefined || publicKey === undefined) return 'making the keys of the subnet'
    if (subnet.backend.status.health !== 'healthy') return 'certifying the first state'
    // The chain of another may be long, or away: it is read while the subnet is used.
    if (!isOwn && performance.now() - begunMs > CATCH_UP_MS_MAX) return undefined
    return bitcoinHeight < chain.height ? 'reading the Bitcoin chain' : undefined
  }
}

/** The chain is there before its nodes follow it, so one that is behind them was put back or lost. */
function requireChain({ chain: bitcoin, bitcoinHeight }: LocalSubnet, { state }: Places): void {
  if (bitcoinHeight <= bitcoin.height) return
  const path = join(state, 'bitcoin')
  const message = `the chain in ${path} ends at height ${bitcoin.height}, the nodes know ${bitcoinHeight}`
  throw new Problem('HOST_DISK', message, {
    fix: 'put the newest copy of it back, or begin anew, which discards chain, ledger and keys',
    command: 'ckbtc subnet reset',
    details: { path, height: bitcoin.height, heightKnown: bitcoinHeight },
  })
}

/** Throws `Bug` when too many nodes have broken, `HOST_DISK` when too few disks are left. */
async function ended(local: LocalSubnet, ending: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (ending.aborted) resolve()
    ending.addEventListener('abort', () => resolve())
    local.broken.catch(reject)
  })
}

/** Calls, and whatever was refused; queries and reads that went well are too many to be news. */
function logAnswer(log: LogFile, { type, requestId, sender, methodName, ...end }: Answered): void {
  const { status, reason } = end
  if (type !== 'call' && status === 200) return
  const what = methodName === undefined ? type : `${type} ${methodName}`
  const ending = reason === undefined ? '' : `: ${reason}`
  const name = `0x${toHex(requestId)} of ${textOfPrincipal(sender)}`
  log.write('info', `${what} ${name}, ${status}${ending}`)
}

function logEvent(log: LogFile, event: SubnetEvent): void {
  switch (event.type) {
    case 'bug':
      log.write('error', event.message)
      return
    case 'started':
      log.write('info', 'started', event.node + 1)
      return
    case 'link':
      if (event.peer === undefined)
        log.write('warn', `refused a link: ${event.state}`, event.node + 1)
      else log.write('info', `link to node ${event.peer + 1}: ${event.state}`, event.node + 1)
      return
    case 'corrupted':
      if (event.lie === undefined) log.write('info', 'is honest again', event.node + 1)
      else log.write('warn', `lies from now on: ${lieText(event.lie)}`, event.node + 1)
      return
    case 'stopped':
      log.write('info', 'stopped', event.node + 1)
      return
    case 'failed':
      log.write('error', event.problem.message, event.node + 1)
      return
    case 'ended':
      log.write('error', 'too few nodes are left that could run')
      return
    case 'fault': {
      const text = `node ${event.culprit + 1} is at fault: ${event.reason}`
      log.write('warn', text, event.seenBy + 1)
      return
    }
    case 'observed':
      if (event.event.type === 'keyMade') log.write('info', 'made the key', event.node + 1)
      if (event.event.type === 'alarmed') log.write('error', event.event.text, event.node + 1)
      if (event.event.type === 'withheld') {
        const name = toDisplayHex(hash32(event.event.txid))
        log.write('error', `kept back transaction ${name}: ${event.event.reason}`, event.node + 1)
      }
      if (event.event.type === 'signed') {
        const by = event.event.by.map((node) => node + 1).join(', ')
        log.write('info', `combined a signature of nodes ${by}`, event.node + 1)
      }
  }
}
