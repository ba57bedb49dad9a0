/**
 * The minter's Candid interface: every type is the published one, and random values survive the way
 * there and back.
 */
import { minterInterface } from '../../../src/core/minter/interface.ts'
import { describeInterface } from '../../support/interface-tests.ts'

await describeInterface('the minter interface', minterInterface, 'ckbtc/minter.idl.js')
