/** Commands of the group "LOCAL SUBNET". Implements `docs/spec/cli.md` §4. */
import { bitcoinGroup } from './bitcoin.ts'
import type { Section } from './command.ts'
import { signerGroup } from './signer.ts'
import { subnetGroup } from './subnet.ts'

export const local: Section = {
  title: 'LOCAL SUBNET',
  commands: [subnetGroup, bitcoinGroup, signerGroup],
}
