/** A node in this thread that breaks lets go of its disk, as the end of a thread would. */
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { principal } from '../../../src/core/ic/principal.ts'
import { InlineHost } from '../../../src/host/node/inline-host.ts'
import type { HostEnd } from '../../../src/host/node/node-host.ts'
import type { FromNode, ToNode } from '../../../src/host/node/protocol.ts'
import { minterSettings } from '../../../src/host/set-values.ts'
import { defaultSettings } from '../../../src/host/subnet-settings.ts'

/** Resolves with what the host says or how it ends after being told. */
function asked(host: { now: (heard: FromNode | HostEnd) => void }, tell: () => void) {
  return new Promise<FromNode | HostEnd>((resolve) => {
    host.now = resolve
    tell()
  })
}

function opened(): { readonly host: InlineHost; now: (heard: FromNode | HostEnd) => void } {
  const one = {
    host: new InlineHost({ hear: (message) => one.now(message), ended: (end) => one.now(end) }),
    now: (_: FromNode | HostEnd): void => undefined,
  }
  return one
}

const FILES = '/proc/self/fd'

/** Files below the folder that this process has open; where the system does not tell, none. */
function openFiles(folder: string): readonly string[] {
  if (!existsSync(FILES)) return []
  return readdirSync(FILES).flatMap((file) => {
    try {
      const target = readlinkSync(join(FILES, file))
      return target.startsWith(folder) ? [target] : []
    } catch {
      return [] // Closed meanwhile.
    }
  })
}

it('a node that breaks is told of as broken, and another host opens its disk', async () => {
  const path = mkdtempSync(join(tmpdir(), 'ckbtc-inline-'))
  const create: ToNode = { type: 'create', storage: { type: 'directory', path } }
  const settings = {
    stockTarget: 1,
    creationMax: 1,
    minter: minterSettings(new Map(), defaultSettings),
    ids: 'own',
    operator: principal(new Uint8Array()),
    bitcoin: { host: '127.0.0.1', port: 1, network: 'regtest', isAttached: false },
  } as const
  const first = opened()
  const before = await asked(first, () => first.host.tell(create))
  // A genesis that nobody can read: the subnet never says so.
  const start: ToNode = { type: 'start', me: 0, genesis: new Uint8Array(3), settings }
  expect(await asked(first, () => first.host.tell(start))).toMatchObject({ type: 'broken' })
  await first.host.kill()
  expect(openFiles(path)).toEqual([])
  const second = opened()
  expect(await asked(second, () => second.host.tell(create))).toEqual(before)
  await second.host.close()
  rmSync(path, { recursive: true })
})
