/**
 * Goal: the tree keeps the shape that `ARCHITECTURE.md` and `docs/errors.md` promise.
 *
 * Method: the rules stand here as data, and every source file is read and held against them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { errorCatalogue } from '../src/core/base/errors.ts'
import { NODE_REQUIRED } from '../src/host/node-version.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

function filesUnder(folder: string, ending: RegExp): readonly string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name) && !name.includes('node_modules'))
    .map((name) => join(folder, name).split(sep).join('/'))
    .sort()
}

const sources = filesUnder('src', /\.ts$/)

/** Who may import whom; an area may always import itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'core/base': [],
  'core/ic': ['core/base'],
  'core/btc': ['core/base'],
  'core/log': ['core/base'],
  'core/tecdsa': ['core/base'],
  'core/ledger': ['core/base', 'core/ic'],
  'core/minter': ['core/base', 'core/ic', 'core/btc'],
  'core/subnet': [
    'core/base',
    'core/ic',
    'core/btc',
    'core/log',
    'core/tecdsa',
    'core/ledger',
    'core/minter',
  ],
  native: ['core/base'],
  wallet: ['native', 'core/base', 'core/ic', 'core/btc', 'core/ledger', 'core/minter'],
  host: [
    'native',
    'core/base',
    'core/ic',
    'core/btc',
    'core/log',
    'core/tecdsa',
    'core/ledger',
    'core/minter',
    'core/subnet',
  ],
  terminal: ['core/base'],
  commands: ['terminal', 'wallet', 'host', 'core/base'],
  cli: ['commands', 'terminal', 'host', 'core/base'],
  index: ['host', 'core/base'],
}

/** Sub-folders that are parts by themselves, which other areas may use. */
const openFolders: readonly string[] = [
  'src/core/btc/regtest/',
  'src/core/ledger/accounts/',
  'src/core/ledger/archive/',
  'src/core/ledger/blocks/',
  'src/core/ledger/index/',
  'src/core/ledger/interface/',
  'src/core/ledger/transactions/',
  'src/core/minter/events/',
  'src/core/minter/interface/',
  'src/core/minter/losses/',
  'src/core/minter/state/',
  'src/core/minter/views/',
  'src/host/control/',
  'src/wallet/history/',
  'src/wallet/keys/',
  'src/wallet/operations/',
]

/** Packages that core may load: pure functions, no effects. */
const corePackages = /^(?:@noble\/|@scure\/|bitcoinjs-lib$)/

/** `core/btc` of `src/core/btc/regtest/node.ts`; `cli` of `src/cli.ts`. */
const areaOf = (path: string): string =>
  /^src\/(core\/[^/]+|[^/.]+)/.exec(path)?.[1] ?? 'unknown area'

/** Everything a module names after `from`, `import` or `import(`. */
function importsOf(text: string): readonly string[] {
  const statements = text.matchAll(
    /^(?:import|export)\b[^'"`;=(]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm,
  )
  return [...statements].map(([, ...names]) => names.find((name) => name !== undefined) ?? '')
}

const localImports = (path: string): readonly string[] =>
  importsOf(read(path))
    .filter((name) => name.startsWith('.'))
    .map((name) =>
      relative(root, resolve(root, dirname(path), name))
        .split(sep)
        .join('/'),
    )

describe('imports', () => {
  it('are all found by the reader of this test', () => {
    const text = [
      `import { a } from './a.ts'`,
      `import {\n  b,\n} from './b.ts'`,
      `import './c.ts'`,
      `export { d } from './d.ts'`,
      `const e = await import('./e.ts')`,
    ].join('\n')
    expect(importsOf(text)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts'])
  })

  it.each(sources)('of %s go down the table', (path) => {
    const area = areaOf(path)
    const allowed = mayImport[area]
    expect(allowed, `the area ${area} stands in the table`).toBeDefined()
    const upward = localImports(path).filter((target) => {
      const other = areaOf(target)
      return other !== area && !allowed?.includes(other)
    })
    expect(upward).toEqual([])
  })

  it('reach no sub-folder of another area that is not a part of its own', () => {
    const depth = (path: string): number => path.split('/').length - areaOf(path).split('/').length
    const trespasses = sources.flatMap((path) =>
      localImports(path)
        .filter((target) => areaOf(target) !== areaOf(path) && depth(target) > 2)
        .filter((target) => !openFolders.some((folder) => target.startsWith(folder)))
        .map((target) => `${path} -> ${target}`),
    )
    expect(trespasses).toEqual([])
  })

  it('name the file with its ending', () => {
    const bare = sources.flatMap((path) =>
      localImports(path)
        .filter((target) => !target.endsWith('.ts'))
        .map((target) => `${path} -> ${target}`),
    )
    expect(bare).toEqual([])
  })

  it('of core name pure packages only', () => {
    const effects = sources
      .filter((path) => path.startsWith('src/core/'))
      .flatMap((path) =>
        importsOf(read(path))
          .filter((name) => !name.startsWith('.') && !corePackages.test(name))
          .map((name) => `${path} -> ${name}`),
      )
    expect(effects).toEqual([])
  })
})

const LINES_MAX = 400
/** Tables of constants may be longer. */
const tables: readonly string[] = []

describe('every source file', () => {
  it('says in its first line what it is', () => {
    const silent = sources.filter((path) => !/^\/\*\*/.test(read(path)))
    expect(silent).toEqual([])
  })

  it(`has at most ${LINES_MAX} lines`, () => {
    const long = sources
      .filter((path) => !tables.includes(path))
      .map((path) => ({ path, lines: read(path).split('\n').length - 1 }))
      .filter(({ lines }) => lines > LINES_MAX)
    expect(long).toEqual([])
  })

  it('is finished and strictly typed', () => {
    // The marks are put together here, so that this file does not hold them itself.
    const marks = ['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK']
    const loose = ['@ts-ignore', '@ts-expect-error', '@ts-nocheck', '\\bas unknown as']
    const words = new RegExp(`\\b(?:${marks.join('|')})\\b|(?:${loose.join('|')})\\b`)
    const found = [...sources, ...filesUnder('test', /\.(?:ts|console)$/)]
      .filter((path) => path !== 'test/tidy.test.ts')
      .flatMap((path) =>
        read(path)
          .split('\n')
          .flatMap((line, index) => (words.test(line) ? [`${path}:${index + 1}`] : [])),
      )
    expect(found).toEqual([])
  })

  it('throws only errors that errors.ts defines', () => {
    const thrown = sources.flatMap((path) =>
      [...read(path).matchAll(/\bnew (Error|TypeError|EvalError|URIError)\(/g)].map(
        ([, name]) => `${path}: ${name}`,
      ),
    )
    expect(thrown).toEqual([])
  })

  it('has a name that says more than "utils"', () => {
    const vague = sources.filter((path) =>
      /(?:^|\/)(?:utils?|common|helpers?|misc)(?:\.ts|\/)/.test(path),
    )
    const barrels = sources.filter((path) => /^src\/core\/.*\/index\.ts$/.test(path))
    expect([...vague, ...barrels]).toEqual([])
  })
})

/** The program, and the process of a subnet in the background. */
const programs: readonly string[] = [
  'src/cli.ts',
  'src/host/daemon/main.ts',
  'src/host/node/process.ts',
]

it('only a program itself ends its process', () => {
  const enders = sources.filter((path) => /\bprocess\.exit(?:Code)?\b/.test(read(path)))
  expect(enders.filter((path) => !programs.includes(path))).toEqual([])
})

describe('every error code', () => {
  const documented = read('docs/errors.md')
  const tests = filesUnder('test', /\.(?:test\.ts|sim\.ts|console)$/)
    .filter((path) => path !== 'test/tidy.test.ts')
    .map(read)
    .join('\n')

  it.each(Object.entries(errorCatalogue))('%s has its row and a test', (code, { exit }) => {
    expect(documented).toMatch(new RegExp(`^\\| \`${code}\` \\| ${exit}\\b`, 'm'))
    expect(tests).toContain(code)
  })

  it('in the documentation exists', () => {
    const rows = [...documented.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code)
    expect(rows.sort()).toEqual(Object.keys(errorCatalogue).sort())
  })
})

describe('the README', () => {
  const readme = read('README.md')

  it('shows only commands that a console script or the continuous integration runs', () => {
    const run = [...filesUnder('test/cli', /\.console$/), '.ci/run'].map(read).join('\n')
    const blocks = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, body = '']) =>
      body.split('\n'),
    )
    const commands = blocks
      .flatMap((line) => line.replace(/\s+#.*$/, '').split('&&'))
      .map((command) => command.trim())
      .filter((command) => command !== '')
    expect(commands.length).toBeGreaterThan(1)
    expect(commands.filter((command) => !run.includes(command))).toEqual([])
  })

  it('links to files that exist', () => {
    const pages = ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...filesUnder('docs', /\.md$/)]
      .filter((path) => !path.startsWith('docs/spec/'))
      .flatMap((path) =>
        [...read(path).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) =>
          join(dirname(path), target),
        ),
      )
    expect(pages.filter((target) => !existsSync(join(root, target)))).toEqual([])
  })
})

it('the oldest Node that runs this is the same in package.json and in the program', () => {
  expect(read('package.json')).toContain(`"node": ">=${NODE_REQUIRED}"`)
})
