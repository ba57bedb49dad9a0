/**
 * What clients of other makers are asked to do with a ledger, and what they tell. Source: IC
 * interface §24.
 *
 * The clients are plain JavaScript, as anybody would write it: the types of the older libraries do
 * not fit each other.
 */

export type Task = {
  readonly url: string
  readonly ledgerId: string
  /** Of an Ed25519 key with a balance, 32 bytes. */
  readonly secret: Uint8Array
  /** Who is paid. */
  readonly to: string
  readonly amount: bigint
}

export type Told = {
  readonly before: bigint
  /** Index of the transfer's block. */
  readonly block: bigint
  readonly after: bigint
  /** How the ledger refuses a transfer of more than there is. */
  readonly refusal: string
  /** Words of a call that fails as a whole, and of a query that does. */
  readonly rejects: readonly [string, string]
  /** Candid of the answer to a call that was submitted without waiting. */
  readonly polled: Uint8Array
  /** As a read of the state shows it. */
  readonly status: string
  /** Whether the same certificate shows the time of the subnet. */
  readonly hasTime: boolean
}

export type EveryTask = Omit<Task, 'amount'> & {
  readonly indexId: string
  /** Candid of the arguments of a transfer. */
  readonly transferArg: Uint8Array
}

/** Of a published interface: its methods, and by method an answer as JSON has it. */
export type Asked = {
  readonly methods: readonly string[]
  readonly answers: Readonly<Record<string, unknown>>
}

export type LedgerClient = {
  readonly useLedger: (task: Task) => Promise<Told>
  /** Every method of ledger and index, once. */
  readonly useEvery: (task: EveryTask) => Promise<{ readonly ledger: Asked; readonly index: Asked }>
}
