/** The host that a node lives in, as its isolation asks for. Source: architecture §3. */
import type { Isolation } from '../isolation.ts'
import { InlineHost } from './inline-host.ts'
import type { OpenHost } from './node-host.ts'
import { ProcessHost } from './process-host.ts'
import { WorkerHost } from './worker-host.ts'

export function openHost(isolation: Isolation): OpenHost {
  switch (isolation) {
    case 'inline':
      return (ears) => new InlineHost(ears)
    case 'worker':
      return (ears) => new WorkerHost(ears)
    case 'process':
      return (ears) => new ProcessHost(ears)
  }
}
