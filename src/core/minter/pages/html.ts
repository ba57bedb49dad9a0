/** HTML whose every value is escaped: text becomes markup in no other way. */

/** Markup that this module made. */
export class Html {
  readonly #markup: string

  private constructor(markup: string) {
    this.#markup = markup
  }

  static of(strings: readonly string[], values: readonly HtmlValue[]): Html {
    const parts = strings.map((part, i) => part + markupOf(values[i] ?? ''))
    return new Html(parts.join(''))
  }

  toString(): string {
    return this.#markup
  }
}

type HtmlValue = string | number | bigint | Html | readonly HtmlValue[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Safe as text and inside quotes. Controls, and what turns the direction, become a mark. */
const escaped = (text: string): string =>
  text
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd')

function markupOf(value: HtmlValue): string {
  if (value instanceof Html) return value.toString()
  if (typeof value === 'object') return value.map(markupOf).join('')
  return escaped(`${value}`)
}

/** Values stand in text or inside double quotes, never in a tag's name, script or style. */
export const html = (strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html =>
  Html.of(strings, values)
