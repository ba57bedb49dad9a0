import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fromDisplayHex, fromHex } from '../../../src/core/base/bytes.ts'
import { Bug } from '../../../src/core/base/errors.ts'
import { EmbeddedBitcoin } from '../../../src/host/bitcoin/embedded-node.ts'
import { ControlBitcoin } from '../../../src/host/control/bitcoin.ts'
import { ControlClient } from '../../../src/host/control/client.ts'
import { BitcoinOperations, FIRST_BLOCKS } from '../../../src/host/daemon/bitcoin-operations.ts'
import { startControlServer } from '../../../src/host/daemon/control-server.ts'
import { purseScript } from '../../../src/host/daemon/purse.ts'

const notAsked = () => {
  throw new Bug('not asked for in this test')
}

it('the chain is the same over the control port as it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ckbtc-control-'))
  const path = join(folder, 'control.sock')
  const bitcoin = await EmbeddedBitcoin.start()
  bitcoin.mine(FIRST_BLOCKS, purseScript)
  const chain = new BitcoinOperations(bitcoin, 6)
  const server = await startControlServer({
    path,
    onError: notAsked,
    handlers: {
      status: notAsked,
      stop: notAsked,
      mine: notAsked,
      faucet: notAsked,
      'deposit-address': notAsked,
      reorg: notAsked,
      tip: () => chain.tip(),
      tx: notAsked,
      output: (request) => chain.output(request),
      sightings: (request) => chain.sightings(request),
      send: notAsked,
      nodes: notAsked,
      'kill-node': notAsked,
      'corrupt-node': notAsked,
      'heal-node': notAsked,
      'signer-info': notAsked,
      'signer-public-key': notAsked,
      'signer-sign': notAsked,
      'signer-refresh': notAsked,
      fee: notAsked,
      'minimum-fee': notAsked,
      'minter-settings': notAsked,
      'ledger-settings': notAsked,
      flag: notAsked,
      losses: notAsked,
      'checker-mode': notAsked,
    },
  })
  const to = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
  const paid = await chain.faucet({ amountSat: 12_345, to, outputs: 1, mine: true })
  const source = new ControlBitcoin(new ControlClient(path))
  const txid = fromDisplayHex(paid.txid)
  expect(await source.height()).toBe(FIRST_BLOCKS + 1)
  expect(await source.output({ txid, vout: 0 })).toEqual({
    type: 'unspent',
    value: 12_345n,
    script: fromHex('0014751e76e8199196d454941c45d1b3a323f1433bd6'),
    height: FIRST_BLOCKS + 1,
  })
  const [input] = chain.tx({ txid: paid.txid })?.inputs ?? []
  const spent = { txid: fromDisplayHex(input?.txid ?? ''), vout: input?.vout ?? 0 }
  expect(await source.output(spent)).toEqual({ type: 'spent' })
  expect(await source.output({ txid, vout: 9 })).toEqual({ type: 'unknown' })
  await server.close()
  await bitcoin.close()
  rmSync(folder, { recursive: true })
})
