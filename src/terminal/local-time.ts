/** Times as people read them: local, with the offset. Implements `docs/spec/cli.md` §3.2. */

/** `2026-02-03 04:05:06 +01:00`. */
export function localTime(at: Date): string {
  const offset = -at.getTimezoneOffset()
  const shifted = new Date(at.getTime() + offset * 60_000).toISOString()
  const size = Math.abs(offset)
  const hours = `${Math.floor(size / 60)}`.padStart(2, '0')
  const minutes = `${size % 60}`.padStart(2, '0')
  return `${shifted.slice(0, 10)} ${shifted.slice(11, 19)} ${offset < 0 ? '-' : '+'}${hours}:${minutes}`
}

/** `04:05:06`, for events of a wait. */
export const localClock = (at: Date): string => localTime(at).slice(11, 19)
