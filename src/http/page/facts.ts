import type { TaskStatus } from '../../runtime/tracking/status.js'
import type { HttpExchange } from '../handler.js'
import type { Html } from './html.js'
import type { PageLinks } from './links.js'
import type { PageTexts } from './texts/page-texts.js'

/** What a page is about. `unavailable`: it completed, and its result is not there; `refused` and `busy`: it was not started. */
export type PageKind = 'initial' | 'processing' | 'completed' | 'failed' | 'cancelled' | 'unknown' | 'unavailable' | 'refused' | 'busy'

/** What a page is made of. */
export interface PageFacts {
  readonly kind: PageKind
  readonly exchange: HttpExchange
  readonly links: PageLinks
  readonly texts: PageTexts
  /** The language of the texts, for the attribute `lang`. */
  readonly locale: string
  /** What inline scripts and styles need as their attribute `nonce`: others do not run. New with each page. */
  readonly nonce: string
  /** The process that it is about, where there is one. */
  readonly processId?: string | undefined
  /** How its task stands. */
  readonly status?: TaskStatus | undefined
  /** Percent, where the task has said any. */
  readonly percent?: number | undefined
  /** What the task says of itself, or a text of the language that says how it stands. */
  readonly message?: string | undefined
  /** What the task answered; of a page of results only. */
  readonly value?: unknown
  /** Parts for pages of your own. */
  readonly parts: PageParts
}

/** What makes a page of your own live. All of it may be left out. */
export interface PageParts {
  /** For the head: what reloads the page without scripts. */
  readonly refresh: Html
  /** The progress bar with its percentage and message, which the script keeps up to date. */
  readonly progress: Html
  /** The button that cancels; empty where that is not possible. */
  readonly cancel: Html
  /** The script, for the end of the body. */
  readonly script: Html
}

/** Makes a page: markup, or a whole response, of which nothing is changed. */
export type PageFunction = (page: PageFacts) => string | Html | Response | Promise<string | Html | Response>
