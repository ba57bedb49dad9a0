/** What the load generator is asked and answers, as JSON. Source: performance specification §7 G4. */
export type LoadTask = {
  readonly url: string
  /** Hexadecimal, DER. */
  readonly rootKey: string
  readonly ledgerId: string
  /** Of a plain server that answers with as many bytes as a call does. */
  readonly echoUrl: string
  readonly singles: number
  readonly callers: number
  readonly calls: number
  readonly queries: number
}

export type LoadReport = {
  /** One transfer through the agent at a time. */
  readonly singleMs: readonly number[]
  /** One request to the plain server at a time. */
  readonly echoMs: readonly number[]
  /** Seconds for all of them, with many callers. */
  readonly callsSeconds: number
  readonly queriesSeconds: number
  readonly echoSeconds: number
  /** Different root signatures among the answers to the calls. */
  readonly rootSignatures: number
  /** Answers that were no certificate yet, and were believed without one: none is expected. */
  readonly unfinished: number
}
