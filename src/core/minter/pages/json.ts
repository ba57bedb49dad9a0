/** JSON that stays JSON in whatever it is put. Source: RFC 8259; ECMA-404. */
import type { Json } from '../events/event-json.ts'

/** In ASCII, without `<` and `&`: a program that takes it for markup finds none. */
export const safeJson = (value: Json): string =>
  JSON.stringify(value).replace(
    /[<>&\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
