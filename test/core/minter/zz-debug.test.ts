import { it } from 'vitest'
import { readFileSync, writeFileSync } from 'node:fs'
import { Player } from '../../support/recordings/player.ts'
import { SETTINGS_OF_2024 } from '../../support/recordings/minter-side.ts'
import { compareEvents } from '../../support/recordings/ending.ts'
it('debug', () => {
  const out: string[] = []
  for (const f of (process.env['REC'] ?? '').split(',')) {
    const r = JSON.parse(readFileSync(f, 'utf8'))
    const p = new Player(r, SETTINGS_OF_2024)
    const v = [...p.play(), ...(p.stoppedAt === undefined ? compareEvents(p, r) : [])]
    out.push(f)
    for (const x of v) if (x.kind === 'unexplained') out.push(JSON.stringify(x).slice(0, 1500))
  }
  writeFileSync('/tmp/rec/out.txt', out.join('\n'))
}, 60000)
