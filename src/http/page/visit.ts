import { randomBytes } from 'node:crypto'
import { context } from '../../core/context.js'
import type { HttpExchange } from '../handler.js'
import { linksOf } from './links.js'
import { formatOf, knownLanguage, languageOf, type Format } from './negotiate.js'
import { EN } from './texts/en.js'
import type { PageTexts } from './texts/page-texts.js'
import type { ResolvedView } from './view.js'

/** One request of a view, and what was found out about it. */
export interface Visit {
  readonly view: ResolvedView
  readonly exchange: HttpExchange
  readonly query: URLSearchParams
  readonly format: Format
  readonly locale: string
  readonly texts: PageTexts
  readonly nonce: string
}

const NONCE_BYTES = 16

export function visitOf(view: ResolvedView, exchange: HttpExchange): Visit {
  const { headers, url } = exchange.request
  const query = new URL(url).searchParams
  const locale = localeOf(view, exchange)
  return {
    view,
    exchange,
    query,
    format: query.get('output_json') === '1' ? 'json' : formatOf(headers.get('accept')),
    locale,
    texts: view.texts.get(locale) ?? EN,
    nonce: randomBytes(NONCE_BYTES).toString('base64'),
  }
}

/** The links of a visit, for a process. */
export const linksFor = ({ exchange }: Visit, processId?: string): ReturnType<typeof linksOf> => linksOf(exchange.mount, processId)

function localeOf({ given, texts }: ResolvedView, exchange: HttpExchange): string {
  const known = [...texts.keys()]
  const declared: unknown = given.locale === undefined ? Reflect.get(context(), 'locale') : given.locale(exchange)
  const chosen = typeof declared === 'string' ? knownLanguage(declared, known) : undefined
  return chosen ?? languageOf(exchange.request.headers.get('accept-language'), known)
}
