/**
 * Which network a node of the user's is on: the one in whose words it answers. Source:
 * `docs/spec/bitcoin.md` §3.3, `docs/spec/cli.md` §5.16.
 */
import { connect } from 'node:net'
import { fromBigEndian } from '../../core/base/bytes.ts'
import { Problem } from '../../core/base/errors.ts'
import { NS_PER_MS } from '../../core/base/units.ts'
import { encodeMessage } from '../../core/btc/message.ts'
import type { NetworkName } from '../../core/btc/network.ts'
import { networks } from '../../core/btc/network.ts'
import { PeerSession } from '../../core/btc/peer-session.ts'
import type { AttachableNetwork, AttachedPlace, BitcoinPlace } from '../bitcoin-place.ts'
import { attachableNetworks, textOfPlace } from '../bitcoin-place.ts'
import { systemClock } from '../clock.ts'
import { entropy } from '../entropy.ts'

/** For a connection and a handshake together. */
export const ANSWER_MS_MAX = 5_000

/** Those that a subnet may stand on first; the others only to say what was found. */
const tried: readonly NetworkName[] = [...attachableNetworks, 'testnet4', 'testnet3', 'mainnet']

const isAttachable = (name: NetworkName): name is AttachableNetwork =>
  attachableNetworks.some((attachable) => attachable === name)

export type Greeting =
  | { readonly type: 'ready' }
  /** It ended the connection before it said who it is: another network, or no Bitcoin node. */
  | { readonly type: 'hungUp' }
  /** Nothing listens there, or nothing answers. */
  | { readonly type: 'unreachable'; readonly reason: string }
  /** Of this network, and of no use to us (HS-3). */
  | { readonly type: 'unsuitable'; readonly reason: string }

/** Speaks to a node as a node of that network. */
export function greet(
  { host, port }: Pick<BitcoinPlace, 'host' | 'port'>,
  name: NetworkName,
  userAgent: string,
): Promise<Greeting> {
  const network = networks[name]
  const nonce = fromBigEndian(entropy(8))
  const nowMs = (): number => Number(systemClock() / NS_PER_MS)
  const session = new PeerSession({
    network,
    nonce,
    ownNonces: new Set([nonce]),
    userAgent,
    startHeight: 0,
    nowMs: nowMs(),
  })
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true })
    const end = (greeting: Greeting): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(greeting)
    }
    const timer = setTimeout(
      () => end({ type: 'unreachable', reason: `no answer within ${ANSWER_MS_MAX / 1_000} s` }),
      ANSWER_MS_MAX,
    )
    const perform = (events: ReturnType<PeerSession['open']>): void => {
      for (const event of events) {
        if (event.type === 'send') socket.write(encodeMessage(network, event.message))
        if (event.type === 'ready') end({ type: 'ready' })
        if (event.type === 'end')
          end(
            event.offence.kind === 'unsuitable'
              ? { type: 'unsuitable', reason: event.offence.reason }
              : { type: 'hungUp' },
          )
      }
    }
    let isOpen = false
    socket.once('connect', () => {
      isOpen = true
      perform(session.open(nowMs()))
    })
    socket.on('data', (bytes) => perform(session.receive(new Uint8Array(bytes), nowMs())))
    socket.once('error', ({ message }) =>
      end(isOpen ? { type: 'hungUp' } : { type: 'unreachable', reason: message }),
    )
    socket.once('close', () => end({ type: 'hungUp' }))
  })
}

/** Throws `BTC_SOURCE_UNUSABLE` where nothing answers, or it is of a network we cannot stand on. */
export async function recognise(place: BitcoinPlace, userAgent: string): Promise<AttachedPlace> {
  for (const name of tried) {
    const greeting = await greet(place, name, userAgent)
    switch (greeting.type) {
      case 'hungUp':
        continue
      case 'unreachable':
        throw unusable(place, `cannot be reached: ${greeting.reason}`)
      case 'unsuitable':
        throw unusable(place, `is of no use to a subnet: ${greeting.reason}`)
      case 'ready':
        if (isAttachable(name)) return { ...place, network: name }
        throw unusable(place, `is on ${name}; a subnet can stand on regtest and signet`)
    }
  }
  throw unusable(place, 'is no Bitcoin node of a network that ckbtc knows')
}

const unusable = (place: BitcoinPlace, what: string): Problem =>
  new Problem('BTC_SOURCE_UNUSABLE', `the Bitcoin node at ${textOfPlace(place)} ${what}`, {
    fix: 'name the P2P port of a running node: 18444 of bitcoind -regtest, 38333 of -signet',
    command: 'ckbtc subnet start --bitcoin 127.0.0.1:18444',
    details: { bitcoin: textOfPlace(place) },
  })
