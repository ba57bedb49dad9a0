/** Questions to single nodes and their answers; a node that stops owes none. */
import type { NodeIndex } from '../../core/base/party.ts'
import type { NodeAnswer as Answer, NodeQuestion as Question } from './protocol.ts'

export type AnswerTo<Q extends Question> = Extract<Answer, { readonly type: Q['type'] }>

type Open = { readonly node: NodeIndex; readonly resolve: (answer: Answer | undefined) => void }

export class Questions {
  readonly #send: (node: NodeIndex, id: number, question: Question) => void
  readonly #open = new Map<number, Open>()
  #next = 0

  constructor(send: (node: NodeIndex, id: number, question: Question) => void) {
    this.#send = send
  }

  /** Undefined when the node was stopped before it answered, or takes longer than `waitMs`. */
  async ask<Q extends Question>(
    node: NodeIndex,
    question: Q,
    waitMs?: number,
  ): Promise<AnswerTo<Q> | undefined> {
    const id = this.#next++
    const answer = await new Promise<Answer | undefined>((resolve) => {
      const timer = waitMs === undefined ? undefined : setTimeout(() => this.#giveUp(id), waitMs)
      const settle = (given: Answer | undefined): void => {
        clearTimeout(timer)
        resolve(given)
      }
      this.#open.set(id, { node, resolve: settle })
      this.#send(node, id, question)
    })
    return isAnswerTo(question, answer) ? answer : undefined
  }

  answered(id: number, answer: Answer): void {
    this.#open.get(id)?.resolve(answer)
    this.#open.delete(id)
  }

  #giveUp(id: number): void {
    this.#open.get(id)?.resolve(undefined)
    this.#open.delete(id)
  }

  /** The node answers nothing more. */
  stopped(node: NodeIndex): void {
    for (const [id, open] of this.#open) {
      if (open.node !== node) continue
      this.#open.delete(id)
      open.resolve(undefined)
    }
  }

  close(): void {
    for (const { resolve } of this.#open.values()) resolve(undefined)
    this.#open.clear()
  }
}

const isAnswerTo = <Q extends Question>(
  question: Q,
  answer: Answer | undefined,
): answer is AnswerTo<Q> => answer?.type === question.type
