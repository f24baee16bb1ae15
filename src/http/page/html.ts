/** A text that is markup. Make it with {@link html}. */
export class Html {
  readonly #text: string

  /** `text` is taken as it is: whoever makes one this way answers for its escaping. */
  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What may stand in a template: texts and numbers are escaped, markup and lists of it are not; nothing is written for the others. */
export type HtmlPart = string | number | Html | readonly HtmlPart[] | undefined | null | false

/**
 * Markup with everything that is put into it escaped, for the inside of elements and of quoted attributes. It knows nothing of scripts,
 * styles and addresses: put no text of others there.
 * @example
 * html`<p title="${title}">${text}</p>`
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlPart[]): Html {
  let text = parts[0] ?? ''
  for (const [index, value] of values.entries()) text += `${written(value)}${parts[index + 1] ?? ''}`
  return new Html(text)
}

function written(part: HtmlPart): string {
  if (part === undefined || part === null || part === false) return ''
  if (part instanceof Html) return part.toString()
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part))
  return part.map(written).join('')
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character)
}
