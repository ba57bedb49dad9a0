/**
 * The ways in which a node can be made to lie, and what each lets the others prove. Source: cli
 * §5.16, threshold §21.
 */
import type { LieKind } from '../../src/core/subnet/lies.ts'

export type Fault = {
  readonly kind: LieKind
  /** What `subnet corrupt-node --fault` takes. */
  readonly option: string
  /**
   * Nodes of seven that may be killed meanwhile. A liar that takes part in ordering all the same
   * is one of the n − f that it needs; one that says nothing, or nothing of use, is not.
   */
  readonly killed: 1 | 2
  /** What it is blamed for, one or more of these; undefined: nobody can prove anything. */
  readonly reasons: readonly string[] | undefined
}

export const faults: readonly Fault[] = [
  { kind: 'silent', option: 'silent', killed: 1, reasons: undefined },
  { kind: 'slow', option: 'slow=1s', killed: 2, reasons: undefined },
  {
    kind: 'bad-share',
    option: 'bad-share',
    killed: 2,
    reasons: ['InvalidSignatureShare', 'InvalidShare', 'InvalidCertificationShare'],
  },
  {
    kind: 'bad-dealing',
    option: 'bad-dealing',
    killed: 2,
    reasons: ['InvalidProof', 'InvalidCommitment', 'InvalidDealing'],
  },
  // Nobody asks it for openings while good dealings suffice; complaints.sim.ts shows its blame.
  { kind: 'bad-opening', option: 'bad-opening', killed: 2, reasons: undefined },
  {
    kind: 'bad-complaint',
    option: 'bad-complaint',
    killed: 2,
    reasons: ['InvalidProof', 'InvalidComplaint'],
  },
  { kind: 'equivocate', option: 'equivocate', killed: 1, reasons: ['Equivocation'] },
  { kind: 'random', option: 'random', killed: 1, reasons: ['BadEncoding'] },
]
