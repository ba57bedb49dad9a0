/**
 * The ledger's Candid interface: every type is the published one, and random values survive the way
 * there and back.
 */
import { ledgerInterface } from '../../../src/core/ledger/interface.ts'
import { describeInterface } from '../../support/interface-tests.ts'

await describeInterface('the ledger interface', ledgerInterface, 'ledger-icrc/icrc_ledger.idl.js')
