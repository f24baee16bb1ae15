import type { PageFacts, PageKind } from './facts.js'
import { builtInPage } from './pages.js'
import { partsOf } from './parts.js'
import type { Process } from './processes.js'
import { jsonAnswer, pageAnswer, type AnswerOptions } from './responses.js'
import { messageOf, percentOf, progressText, standingOf, unknownStanding } from './standing.js'
import { linksFor, type Visit } from './visit.js'
import type { WaitingPageView } from './view.js'

const PAGES = {
  initial: 'initialPage',
  processing: 'processingPage',
  completed: 'resultPage',
  unknown: 'unknownPage',
  failed: 'failedPage',
  cancelled: 'failedPage',
  unavailable: 'failedPage',
  refused: 'failedPage',
  busy: 'failedPage',
} as const satisfies Readonly<Record<PageKind, keyof WaitingPageView>>

/** The page of a kind, as the application or this library makes it. */
export async function page(visit: Visit, kind: PageKind, { process, value, ...options }: AnswerOptions & { process?: Process; value?: unknown } = {}): Promise<Response> {
  const facts = { ...factsOf(visit, kind, process), ...(value === undefined ? {} : { value }) }
  const make = visit.view.given[PAGES[kind]]
  return pageAnswer(visit, make === undefined ? builtInPage(facts) : await make.call(visit.view.given, facts), options)
}

/** Says that there is nothing, or nothing that is anything to who asks. */
export async function unknown(visit: Visit, id: string): Promise<Response> {
  if (visit.format === 'html') return page(visit, 'unknown', { status: 404 })
  return jsonAnswer(visit, unknownStanding(id, visit.texts), { status: 404 })
}

const ENDS = {
  failed: { status: 500, title: 'failedTitle', text: 'failedText' },
  cancelled: { status: 410, title: 'cancelledTitle', text: 'cancelledText' },
  unavailable: { status: 500, title: 'unavailableTitle', text: 'unavailableText' },
} as const

/** Says that there is no result, and why in a word: what went wrong inside is nobody's business. */
export async function noResult(visit: Visit, process: Process, kind: keyof typeof ENDS): Promise<Response> {
  const { status, title, text } = ENDS[kind]
  if (visit.format === 'html') return page(visit, kind, { status, process })
  const standing = standingOf(process.status, visit.texts, visit.locale)
  return jsonAnswer(visit, { ...standing, progress: 'ERROR', completed: 'ERROR', title: visit.texts[title], detail: visit.texts[text] }, { status })
}

/** Says that nothing was started or changed. */
export async function notStarted(visit: Visit, kind: 'refused' | 'busy', options: AnswerOptions): Promise<Response> {
  if (visit.format === 'html') return page(visit, kind, options)
  const [title, detail] = kind === 'refused' ? [visit.texts.refusedTitle, visit.texts.refusedText] : [visit.texts.busyTitle, visit.texts.busyText]
  return jsonAnswer(visit, { title, detail, status: options.status }, options)
}

function factsOf(visit: Visit, kind: PageKind, process: Process | undefined): PageFacts {
  const { exchange, texts, locale, nonce, view } = visit
  const facts = { kind, exchange, links: linksFor(visit, process?.id), texts, locale, nonce, ...(process === undefined ? {} : about(process, visit)) }
  return { ...facts, parts: partsOf(facts, view.given.cancellable !== false) }
}

function about({ id, status }: Process, { texts, locale }: Visit): Pick<PageFacts, 'processId' | 'status' | 'percent' | 'message'> {
  const percent = percentOf(status)
  const own = percent !== undefined && status.state === 'running' ? texts.working : progressText(status, texts, locale)
  return { processId: id, status, percent, message: messageOf(status) ?? own }
}
