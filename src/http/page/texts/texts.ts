import { DE } from './de.js'
import { EN } from './en.js'
import { FR } from './fr.js'
import { IT } from './it.js'
import type { PageTexts } from './page-texts.js'

export type { PageTexts } from './page-texts.js'

/** Texts by the tag of their language (`en`, `de-AT`). */
export type TextsByLanguage = Readonly<Record<string, Partial<PageTexts>>>

const BUILT_IN: Readonly<Record<string, PageTexts>> = { en: EN, de: DE, it: IT, fr: FR }

/**
 * The built-in texts with those of the application over them. What a new language lacks is taken from its base language (`de` for
 * `de-AT`), then from English.
 */
export function mergeTexts(added: TextsByLanguage): ReadonlyMap<string, PageTexts> {
  const merged = new Map<string, PageTexts>(Object.entries(BUILT_IN))
  const baseFirst = Object.entries(added).sort(([a], [b]) => a.length - b.length)
  for (const [tag, texts] of baseFirst) {
    const name = tag.toLowerCase()
    merged.set(name, { ...(merged.get(name) ?? merged.get(name.split('-', 1)[0] ?? '') ?? EN), ...texts })
  }
  return merged
}
