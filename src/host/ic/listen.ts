/** Taking a port, and saying why it cannot be had. Source: `docs/spec/cli.md` §6. */
import type { Server } from 'node:net'
import { HostPortBusy, Problem } from '../../core/base/errors.ts'
import { portHolder } from './port-holder.ts'

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

/** Whether somebody else listens on the port. */
export const isTaken = (error: unknown): boolean => codeOf(error) === 'EADDRINUSE'

/** The port; 0 asks for any that is free. Rejects with what the system says. */
export function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

/** A failure to listen in the words of the program; what is none of these is given back as it is. */
export async function problemOf(
  error: unknown,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<unknown> {
  switch (codeOf(error)) {
    case 'EADDRINUSE': {
      const holder = port === 0 ? undefined : await portHolder(port)
      return new HostPortBusy({ host, port, holder }, error)
    }
    case 'EACCES':
      return new Problem('USAGE_INVALID', `this user may not listen on port ${port}`, {
        fix: 'choose a port from 1024 on',
        cause: error,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new Problem('USAGE_INVALID', `${host} is not an address of this machine`, {
        fix: 'leave --host out, or name an address that this machine has',
        cause: error,
      })
    default:
      return error
  }
}
