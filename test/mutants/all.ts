/** Every mutant, by the part of the program that it changes. */
import { archiveMutants } from './archives.ts'
import { chainMutants } from './chain.ts'
import { durabilityMutants } from './durability.ts'
import { epochMutants } from './epochs.ts'
import { filterMutants } from './filters.ts'
import { headerMutants } from './headers.ts'
import { largeMinterMutants } from './large-minter.ts'
import { ledgerMutants } from './ledger.ts'
import { ledgerCallMutants } from './ledger-calls.ts'
import { ledgerFaceMutants } from './ledger-face.ts'
import { ledgerIndexMutants } from './ledger-index.ts'
import { ledgerMemoryMutants } from './ledger-memory.ts'
import { ledgerSpeedMutants } from './ledger-speed.ts'
import { lifeMutants } from './lives.ts'
import { logMutants } from './log.ts'
import { behindMutants } from './log-behind.ts'
import { mempoolMutants } from './mempool.ts'
import { minterFaceMutants } from './minter-face.ts'
import { historyMutants } from './minter-histories.ts'
import type { Mutant } from './mutant.ts'
import { pageMutants } from './pages.ts'
import { peerMutants } from './peers.ts'
import { recordedMutants } from './recorded.ts'
import { replacementMutants } from './replacements.ts'
import { schnorrMutants } from './schnorr.ts'
import { scriptMutants } from './script.ts'
import { tecdsaMutants } from './tecdsa.ts'
import { tokenMutants } from './tokens.ts'
import { txpoolMutants } from './txpool.ts'
import { walletTokenMutants } from './wallet-tokens.ts'

export const mutants: Readonly<Record<string, readonly Mutant[]>> = {
  tecdsa: tecdsaMutants,
  schnorr: schnorrMutants,
  log: logMutants,
  behind: behindMutants,
  lives: lifeMutants,
  epochs: epochMutants,
  script: scriptMutants,
  filters: filterMutants,
  chain: chainMutants,
  peers: peerMutants,
  headers: headerMutants,
  mempool: mempoolMutants,
  histories: historyMutants,
  txpool: txpoolMutants,
  calls: ledgerCallMutants,
  ledger: ledgerMutants,
  ledgerIndex: ledgerIndexMutants,
  ledgerMemory: ledgerMemoryMutants,
  ledgerSpeed: ledgerSpeedMutants,
  archives: archiveMutants,
  tokens: tokenMutants,
  replacements: replacementMutants,
  pages: pageMutants,
  ledgerFace: ledgerFaceMutants,
  recorded: recordedMutants,
  face: minterFaceMutants,
  largeMinter: largeMinterMutants,
  durability: durabilityMutants,
  walletTokens: walletTokenMutants,
}
