/** A small HTTP server on loopback whose answers a test may change on their way, or hold back. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'

export type Answer = {
  readonly status: number
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

export type Request = { readonly method: string; readonly path: string; readonly body: string } & {
  readonly authorization: string | undefined
}

/** What is said in place of an answer: another one, nothing at all, or a part of it. */
export type Lie = (request: Request, honest: Answer) => Answer | 'hang' | 'cut'

export class HttpDouble {
  readonly #server: Server
  readonly #answer: (request: Request) => Answer
  lie: Lie = (_, honest) => honest
  readonly requests: Request[] = []
  /** The most that were being answered at once. */
  atOnceMax = 0
  #atOnce = 0

  constructor(answer: (request: Request) => Answer) {
    this.#answer = answer
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  async start(): Promise<URL> {
    await new Promise<void>((resolve) => void this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new RangeError('no port')
    return new URL(`http://127.0.0.1:${address.port}`)
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#atOnce += 1
    this.atOnceMax = Math.max(this.atOnceMax, this.#atOnce)
    const parts: Buffer[] = []
    for await (const part of incoming) parts.push(part)
    const { method = '', url: path = '', headers } = incoming
    const { authorization } = headers
    const body = Buffer.concat(parts).toString()
    const request = { method, path, body, authorization }
    this.requests.push(request)
    const answer = this.lie(request, this.#answer(request))
    await new Promise((resolve) => setImmediate(resolve))
    this.#atOnce -= 1
    if (answer === 'hang') return
    if (answer === 'cut') {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('half of')
      response.destroy()
      return
    }
    response.writeHead(answer.status, answer.headers ?? {})
    response.end(answer.body)
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => void this.#server.close(() => resolve()))
  }
}
