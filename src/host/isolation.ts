/** What parts a node from the others and from the rest of the program. Source: architecture §3. */

export const isolations = ['inline', 'worker', 'process'] as const

/** This thread, a thread of its own, or a process of its own. */
export type Isolation = (typeof isolations)[number]
