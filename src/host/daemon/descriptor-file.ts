/**
 * The descriptor of the running subnet as a file: there while the subnet can be used. Source:
 * `docs/spec/cli.md` §3.14.
 */
import { connect } from 'node:net'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { SubnetDescriptor } from '../../core/ic/subnet-descriptor.ts'
import {
  DESCRIPTOR_BYTES_MAX,
  decodeDescriptor,
  encodeDescriptor,
} from '../../core/ic/subnet-descriptor.ts'
import { readWholeFile, removeFile, writeWholeFile } from './whole-file.ts'

const CONNECT_MS_MAX = 2_000

/** Undefined when there is none that can be read. */
export function readDescriptor(path: string): SubnetDescriptor | undefined {
  const source = readWholeFile(path, DESCRIPTOR_BYTES_MAX)
  if (source === undefined) return undefined
  const read = attempt(() => decodeDescriptor(source))
  return read instanceof BadEncoding ? undefined : read
}

export const writeDescriptor = (path: string, descriptor: SubnetDescriptor): void =>
  writeWholeFile(path, encodeDescriptor(descriptor))

export const removeDescriptor = (path: string): void => removeFile(path)

/** The descriptor, if the process that wrote it still listens. */
export async function liveDescriptor(path: string): Promise<SubnetDescriptor | undefined> {
  const descriptor = readDescriptor(path)
  if (descriptor === undefined) return undefined
  return (await listens(descriptor.controlPath)) ? descriptor : undefined
}

function listens(controlPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(controlPath)
    const end = (found: boolean): void => {
      socket.destroy()
      resolve(found)
    }
    socket.setTimeout(CONNECT_MS_MAX, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
