/** The one source of chance: the operating system's generator. */
import { randomBytes } from 'node:crypto'

export const entropy = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
