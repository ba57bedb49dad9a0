/**
 * `ckbtc demo`: reads the options, runs the story, prints it. Implements `docs/spec/cli.md` §5.1.
 */
import {
  CheckFailed,
  ReservesInconclusive,
  ReservesMismatch,
  ReservesShort,
  UsageInvalid,
} from '../core/base/errors.ts'
import { faultyMax } from '../core/base/party.ts'
import { answerDocument, type Warning } from '../terminal/json.ts'
import { openProgress, type Progress } from '../terminal/progress.ts'
import { formatSeconds, printStep } from '../terminal/steps.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Context } from './context.ts'
import type { DemoEvent, DemoResult, DemoStepName, RunDemo } from './demo/types.ts'
import { headings, NODES_FOR_SECRECY, stepRow, verdictWords } from './demo/words.ts'

export const NODES_MAX = 40

/** The options as typed; absent ones keep their defaults. */
export type DemoFlags = { readonly nodes?: string; readonly chaos?: boolean }

/** The story and all it needs is loaded after the first line has been printed. */
const loadStory = async (): Promise<RunDemo> => (await import('./demo/story.ts')).runDemo

export async function demo(
  flags: DemoFlags,
  { terminal, signal }: Context,
  load: () => Promise<RunDemo> = loadStory,
): Promise<void> {
  const options = { ...parseFlags(flags), signal }
  const warnings = trustWarnings(options.nodes)
  printOpening(terminal, options.nodes, warnings)
  const progress = await openProgress(terminal)
  signal.addEventListener('abort', progress.stop)
  try {
    const runDemo = await load()
    signal.throwIfAborted()
    const result = await runDemo(options, tell(options.nodes, terminal, progress))
    progress.stop()
    requireSound(result)
    printEnding(terminal, result, warnings)
  } finally {
    progress.stop()
  }
}

function parseFlags({ nodes: text = '4', chaos = false }: DemoFlags) {
  const command = 'ckbtc demo --help'
  const nodes = /^[1-9]\d?$/.test(text) ? Number(text) : 0
  if (nodes < 1 || nodes > NODES_MAX)
    throw new UsageInvalid(`--nodes takes a number from 1 to ${NODES_MAX}, found "${text}"`, {
      fix: 'give a number in that range; 4 is the smallest subnet that tolerates a faulty node',
      command,
    })
  if (chaos && faultyMax(nodes) < 1)
    throw new UsageInvalid(`--chaos stops a node, and ${nodes} tolerate none that is faulty`, {
      fix: 'use 4 nodes or more with --chaos',
      command,
    })
  return { nodes, chaos }
}

function trustWarnings(nodes: number): readonly Warning[] {
  const oneMachine = {
    code: 'KEY_ON_ONE_MACHINE',
    message: 'all nodes are on this machine: the key is no secret from whoever controls it',
  }
  const everyNode = {
    code: 'KEY_KNOWN_TO_EVERY_NODE',
    message: `with fewer than ${NODES_FOR_SECRECY} nodes every node knows the key`,
  }
  return nodes < NODES_FOR_SECRECY ? [oneMachine, everyNode] : [oneMachine]
}

const tells = ({ settings }: Terminal): boolean => !settings.json && !settings.quiet

function printOpening(terminal: Terminal, nodes: number, warnings: readonly Warning[]): void {
  const subnet = `${nodes} node${nodes === 1 ? '' : 's'}, tolerates ${faultyMax(nodes)} faulty`
  if (tells(terminal)) terminal.answer(`ckbtc demo · ${subnet} · nothing leaves this machine`)
  for (const { message } of warnings) terminal.note(`ckbtc: note: ${message}`)
  if (tells(terminal)) terminal.answer('')
}

/** Turns what happens into rows of the answer and signs of life. */
function tell(nodes: number, terminal: Terminal, progress: Progress): (event: DemoEvent) => void {
  const show = (name: DemoStepName, text: string): void => {
    const { number, label } = headings[name]
    progress.show({ number, label, text })
  }
  return (event) => {
    switch (event.type) {
      case 'step-started':
        return show(event.name, headings[event.name].doing)
      case 'step-progress':
        return show(event.name, event.text)
      case 'step-done':
        progress.clear()
        if (tells(terminal))
          printStep(
            terminal,
            stepRow(event.step, { nodes, verbose: terminal.settings.verbose > 0 }),
          )
        return
      case 'note':
        return terminal.note(`ckbtc: note: ${event.text}`)
    }
  }
}

/** A story whose checks failed is an error, with or without a verdict. */
function requireSound({ steps, verdict, surplusSat }: DemoResult): void {
  if (verdict === 'shortfall') throw new ReservesShort(surplusSat)
  if (verdict === 'mismatch') throw new ReservesMismatch('the chain and the books of the minter')
  if (verdict === 'inconclusive') throw new ReservesInconclusive('the views never stood still')
  const failed = steps.find((step) => !step.ok)
  if (failed === undefined) return
  const { label } = headings[failed.name]
  throw new CheckFailed(`the step "${label}"`, { found: 'a failed check', expected: 'none' })
}

function printEnding(terminal: Terminal, result: DemoResult, warnings: readonly Warning[]): void {
  const { json, quiet } = terminal.settings
  if (json) {
    // In the order of the specification's example, for readers; programs do not depend on it.
    const { nodes, tolerates, publicKey, durationMs, ...outcome } = result
    const data = { nodes, tolerates, publicKey, durationMs, ...outcome }
    terminal.answer(answerDocument({ schema: 'demo', network: 'local', data, warnings }))
  } else if (quiet) {
    terminal.answer(verdictWords(result))
  } else {
    terminal.answer('')
    terminal.answer(`Done in ${formatSeconds(result.durationMs)}. Try it yourself:`)
    terminal.answer('  ckbtc demo --nodes 7')
    terminal.answer('  ckbtc demo --chaos')
  }
}
