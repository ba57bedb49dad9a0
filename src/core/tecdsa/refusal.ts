/** Refusals of the threshold protocol as data. Names: threshold specification §21. */

export type RefusalName =
  | 'InsufficientOpenings'
  | 'InsufficientShares'
  | 'InconsistentCiphertext'
  | 'InvalidCommitment'
  | 'InvalidComplaint'
  | 'InvalidDealer'
  | 'InvalidOpening'
  | 'InvalidParameters'
  | 'InvalidPresignature'
  | 'InvalidProof'
  | 'InvalidRecipients'
  | 'InvalidSignature'
  | 'InvalidSignatureShare'
  | 'InvalidTranscript'

/** `detail` says what was found; it never holds a secret. */
export type Refusal = { readonly refusal: RefusalName; readonly detail: string }

/** For checks in a row: the refusal if the condition fails, else undefined. */
export function refuseUnless(
  condition: boolean,
  refusal: RefusalName,
  detail: string,
): Refusal | undefined {
  return condition ? undefined : { refusal, detail }
}
