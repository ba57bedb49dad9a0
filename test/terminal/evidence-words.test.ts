import { expect, it } from 'vitest'
import { evidenceWords } from '../../src/commands/bitcoin/evidence-words.ts'

const plain = { peers: 0, ageMs: 0, reason: undefined, bumpSatPerVb: undefined }

it.each([
  [{ ...plain, state: 'queued', reason: 'dust' }, 'nobody was told of it, for 0 s: dust'],
  [{ ...plain, state: 'announced', peers: 1, ageMs: 59_999 }, 'announced, 1 peer, for 59 s'],
  [
    { ...plain, state: 'echoed', peers: 2, ageMs: 60_000 },
    'heard of from others, 2 peers, for 1 min',
  ],
  [{ ...plain, state: 'in-block', ageMs: 7_200_000 }, 'in a block, for 2 h'],
  [
    { ...plain, state: 'announced', peers: 1, reason: 'low', bumpSatPerVb: 7 },
    'announced, 1 peer, for 0 s: low; a replacement should pay 7 sat/vB',
  ],
])('%j is told as %s', (evidence, words) => expect(evidenceWords(evidence)).toBe(words))
