/**
 * Tries the mutants: `npm run test:mutants [-- words of a name]`; `-- --list` prints
 * the table of `test/sim/mutants.md`.
 *
 * The tree is copied to a temporary directory and changed only there, one mutant at a time. Each of
 * the tests that a mutant names runs alone and must go red; without any mutant all of them must be
 * green first. Survivors, and changes that are no program any more, end the run with status 1.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mutants } from './all.ts'
import type { Mutant } from './mutant.ts'
import { mutated } from './mutant.ts'

const COPIED = ['src', 'test', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts']
const TEST_TIME_MAX_MS = 600_000

type Outcome = 'red' | 'green' | 'broken'

function copyOf(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'ckbtc-mutants-'))
  const isOwn = (path: string): boolean => !path.includes('node_modules')
  for (const name of COPIED)
    cpSync(join(root, name), join(copy, name), { recursive: true, filter: isOwn })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** One run of vitest in the copy. A mutant that hangs is noticed as well. */
function outcomeOf(copy: string, files: readonly string[], options: readonly string[]): Outcome {
  const project = files.every(isSimulation) ? 'sim' : 'unit'
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs')
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', project, '--reporter', 'dot', ...options, ...files],
    { cwd: copy, encoding: 'utf8', timeout: TEST_TIME_MAX_MS },
  )
  if (error !== undefined || status === null) return 'red'
  const said = stdout + stderr
  if (/SyntaxError|Transform failed|ReferenceError|No test files found/.test(said)) return 'broken'
  return status === 0 ? 'green' : 'red'
}

const isSimulation = (file: string): boolean => file.endsWith('.sim.ts')

/** `file`, or `file#words` for the tests that are called so. */
function testIn(copy: string, test: string): Outcome {
  const [file = '', words] = test.split('#')
  return outcomeOf(copy, [`test/${file}`], ['--bail', '1', ...(words ? ['-t', words] : [])])
}

/** All tests that mutants name, without any mutant: in two runs, for units and simulations. */
function isGreen(copy: string, chosen: readonly Mutant[]): boolean {
  const tests = chosen.flatMap((mutant) => mutant.tests)
  const files = [...new Set(tests.map((test) => `test/${test.split('#')[0]}`))]
  return [files.filter((file) => !isSimulation(file)), files.filter(isSimulation)]
    .filter(({ length }) => length > 0)
    .every((some) => outcomeOf(copy, some, []) === 'green')
}

function tryMutant(copy: string, mutant: Mutant): Outcome {
  const path = join(copy, 'src/core', mutant.file)
  const text = readFileSync(path, 'utf8')
  const changed = mutated(text, mutant)
  if (changed === undefined) return 'broken'
  writeFileSync(path, changed)
  try {
    for (const test of mutant.tests) {
      const outcome = testIn(copy, test)
      if (outcome !== 'red') return outcome
    }
    return 'red'
  } finally {
    writeFileSync(path, text)
  }
}

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

const WORDS = { red: 'dies', green: 'SURVIVES', broken: 'IS NO PROGRAM' } as const

function run(words: readonly string[]): number {
  const chosen = Object.values(mutants)
    .flat()
    .filter(({ name, file }) => words.every((word) => `${file} ${name}`.includes(word)))
  const copy = copyOf(process.cwd())
  try {
    if (!isGreen(copy, chosen)) {
      say('not green without a mutant')
      return 1
    }
    const found = chosen.map((mutant) => {
      const outcome = tryMutant(copy, mutant)
      say(`${WORDS[outcome].padEnd(14)} ${mutant.file}: ${mutant.name}`)
      return outcome
    })
    const dead = found.filter((outcome) => outcome === 'red').length
    say(`${dead} of ${chosen.length} die`)
    return dead === chosen.length ? 0 : 1
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** The rows of `test/sim/mutants.md`. */
const table = (): string =>
  Object.values(mutants)
    .flat()
    .map(({ file, name, tests }) => {
      const named = tests.map((test) => `\`${test}\``).join(' ')
      return `| \`${file}\` | ${name} | ${named} |`
    })
    .join('\n')

const words = process.argv.slice(2)
if (words[0] === '--list') say(table())
else process.exitCode = run(words)
