/** The oldest Node that runs this program; the same as `engines` in package.json. */
import { HostNodeVersion } from '../core/base/errors.ts'

export const NODE_REQUIRED = '20.19'

/** Throws `HostNodeVersion` when `found` (`22.1.0`) is older than what is required. */
export function requireNodeVersion(found: string): void {
  const [major = 0, minor = 0] = found.split('.').map(Number)
  const [majorMin = 0, minorMin = 0] = NODE_REQUIRED.split('.').map(Number)
  if (major < majorMin || (major === majorMin && minor < minorMin))
    throw new HostNodeVersion(found, NODE_REQUIRED)
}
