/** A started subnet, as the parts of its process see it. Source: architecture §1. */
import type { SubnetDescriptor } from '../../core/ic/subnet-descriptor.ts'
import type { LocalSubnet } from '../local-subnet.ts'
import type { SubnetSettings } from '../subnet-settings.ts'
import type { Operator } from './operator.ts'
import type { Places } from './places.ts'

/** What a running subnet consists of. */
export type Running = {
  readonly local: LocalSubnet
  readonly settings: SubnetSettings
  readonly operator: Operator
  readonly descriptor: SubnetDescriptor
  readonly places: Places
  readonly isEphemeral: boolean
  /** Asks it to end in good order. */
  readonly stop: () => void
}
