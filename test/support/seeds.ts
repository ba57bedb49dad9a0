/** Which seeds a simulation runs: those of its slice, or the one that `SEED` names. */
const { SEED } = process.env

export const seedsTo = (count: number): readonly number[] =>
  SEED === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(SEED)]
