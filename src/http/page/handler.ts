import { ErrandError } from '../../errors.js'
import { isTerminal } from '../../core/lifecycle.js'
import { appState } from '../../runtime/app.js'
import type { HttpHandler } from '../handler.js'
import { isPassing } from '../passing.js'
import { noResult, notStarted, page, unknown } from './answers.js'
import { eventsOf } from './events.js'
import { pageRequestOf } from './input.js'
import { findProcess, startProcess, type Process } from './processes.js'
import { pageResultOf } from './page-result.js'
import { replay } from './replay.js'
import { eventsAnswer, jsonAnswer, redirectAnswer, textAnswer } from './responses.js'
import { isOwnOrigin } from '../same-origin.js'
import { SCRIPT } from './script.js'
import { standingOf } from './standing.js'
import { resolveView, type WaitingPageView } from './view.js'
import { linksFor, visitOf, type Visit } from './visit.js'

/** Where the browser is to look again; the page without scripts does so too. */
const RETRY_AFTER = { 'retry-after': '5' }
/** Of a task that completed the value is there at once, or never. */
const RESULT_TIMEOUT_SECONDS = 10

type Answer = (visit: Visit) => Promise<Response>

const ROUTES: Readonly<Record<string, { readonly answer: Answer; readonly methods: readonly string[] }>> = {
  '': { answer: first, methods: ['GET', 'HEAD', 'POST'] },
  '/processing': { answer: withProcess(processing), methods: ['GET', 'HEAD'] },
  '/completed': { answer: completed, methods: ['GET', 'HEAD'] },
  '/events': { answer: withProcess(events), methods: ['GET'] },
  '/result': { answer: withProcess(result), methods: ['GET', 'HEAD'] },
  '/cancel': { answer: cancel, methods: ['POST'] },
  '/errand.js': { answer: async () => script(), methods: ['GET', 'HEAD'] },
}

/**
 * A page behind which a task does the work: GET shows a first page, POST starts the task as the person who asks, a second page shows
 * how far it is, and then its result. Mount it where the view is to be; `processing`, `completed`, `events`, `result`, `cancel` and
 * `errand.js` are below that.
 * @throws ErrandError `OPTION_INVALID`, `NOT_A_TASK`
 */
export function waitingPageHandler(given: WaitingPageView): HttpHandler {
  const view = resolveView(given)
  return async (exchange) => {
    const route = ROUTES[exchange.path.replace(/\/$/, '')]
    if (route === undefined) return undefined
    if (!route.methods.includes(exchange.request.method) && !(route.answer === first && view.given.runProcess !== undefined)) {
      return textAnswer('405 Method Not Allowed', { status: 405, headers: { allow: route.methods.join(', ') } })
    }
    const response = await answerOrBusy(route.answer, visitOf(view, exchange))
    return exchange.request.method === 'HEAD' ? withoutBody(response) : response
  }
}

async function answerOrBusy(answer: Answer, visit: Visit): Promise<Response> {
  try {
    return await answer(visit)
  } catch (error) {
    if (!(error instanceof ErrandError && isPassing(error))) throw error
    warn(`A waiting page of ${visit.view.task.name} could not be answered: ${error.message}`)
    return notStarted(visit, 'busy', { status: 503, headers: RETRY_AFTER })
  }
}

async function first(visit: Visit): Promise<Response> {
  const { view, exchange } = visit
  const { noProcess = false, runProcess } = view.given
  const starts = !noProcess && (runProcess === undefined ? exchange.request.method === 'POST' : await runProcess.call(view.given, exchange))
  if (!starts) return page(visit, 'initial')
  if (!isOwnOrigin(exchange.request, view.trustedOrigins)) return notStarted(visit, 'refused', { status: 403 })
  const args = await argumentsOf(visit)
  if (args instanceof Response) return args
  const started = await startProcess(view, exchange, args)
  if (started === 'large') return tooLarge()
  const { id, cookie } = started
  const links = linksFor(visit, id)
  const response =
    visit.format === 'html'
      ? redirectAnswer(links.processing)
      : jsonAnswer(visit, { process_id: id }, { status: 202, headers: { location: links.processing, ...RETRY_AFTER } })
  if (cookie !== undefined) response.headers.append('set-cookie', cookie)
  return response
}

async function argumentsOf({ view, exchange }: Visit): Promise<readonly unknown[] | Response> {
  if (view.given.input !== undefined) return view.given.input(exchange)
  const request = await pageRequestOf(exchange)
  if (request === 'malformed') return textAnswer('400 Bad Request: the body is not what its content-type says.', { status: 400 })
  return request === 'large' ? tooLarge() : [request]
}

async function processing(visit: Visit, process: Process): Promise<Response> {
  const { state } = process.status
  if (visit.format === 'events') return events(visit, process)
  if (visit.format === 'json') return jsonAnswer(visit, standingOf(process.status, visit.texts, visit.locale))
  if (state === 'completed') return redirectAnswer(linksFor(visit, process.id).result)
  if (state === 'failed' || state === 'cancelled') return noResult(visit, process, state)
  return page(visit, 'processing', { process })
}

async function events(visit: Visit, process: Process): Promise<Response> {
  return eventsAnswer(eventsOf(visit, process))
}

/** Without `output_json` the bare value, as scripts of other systems know it. */
async function completed(visit: Visit): Promise<Response> {
  const id = visit.query.get('process_id') ?? ''
  const process = await findProcess(visit.view, visit.exchange, id)
  if (visit.format === 'events' && process !== undefined) return events(visit, process)
  if (visit.format === 'json') return process === undefined ? unknown(visit, id) : jsonAnswer(visit, standingOf(process.status, visit.texts, visit.locale))
  if (process === undefined) return textAnswer('ERROR', { status: 404 })
  const { progress } = standingOf(process.status, visit.texts, visit.locale)
  return textAnswer(String(progress), { status: progress === 'ERROR' ? 500 : 200 })
}

async function result(visit: Visit, process: Process): Promise<Response> {
  const { state } = process.status
  if (visit.format === 'events') return events(visit, process)
  if (state === 'failed' || state === 'cancelled') return noResult(visit, process, state)
  if (!isTerminal(state)) return unfinished(visit, process)
  const isOnce = visit.view.task.declaration.options.resultOnce
  // nobody has read what a browser fetched to have it ready, or only asked about
  if (isOnce && visit.exchange.request.method === 'HEAD') return textAnswer('')
  if (isOnce && !process.isOwn) return unknown(visit, process.id)
  if (isOnce && /prefetch/.test(visit.exchange.request.headers.get('sec-purpose') ?? '')) return textAnswer('', { status: 503 })
  try {
    return await finished(visit, process)
  } catch (error) {
    if (error instanceof ErrandError && error.code === 'TASK_NOT_FOUND') return unknown(visit, process.id)
    if (error instanceof ErrandError && isPassing(error)) throw error
    warn(error instanceof Error ? error.message : 'A result could not be sent')
    return noResult(visit, process, 'unavailable')
  }
}

async function finished(visit: Visit, process: Process): Promise<Response> {
  const value = await process.handle.result({ timeout: RESULT_TIMEOUT_SECONDS })
  const { resultPage } = visit.view.given
  const isNothing = value === undefined || value === null
  if (pageResultOf(value) === undefined && (resultPage !== undefined || isNothing)) {
    if (visit.format === 'html') return page(visit, 'completed', { process, value })
    if (isNothing) return jsonAnswer(visit, standingOf(process.status, visit.texts, visit.locale))
  }
  return replay(visit, process, value)
}

async function unfinished(visit: Visit, process: Process): Promise<Response> {
  const options = { status: 202, headers: RETRY_AFTER }
  if (visit.format === 'json') return jsonAnswer(visit, standingOf(process.status, visit.texts, visit.locale), options)
  return visit.view.given.unfinished === 'empty' ? textAnswer('', options) : page(visit, 'processing', { process, ...options })
}

async function cancel(visit: Visit): Promise<Response> {
  if (!isOwnOrigin(visit.exchange.request, visit.view.trustedOrigins)) return notStarted(visit, 'refused', { status: 403 })
  const request = await pageRequestOf(visit.exchange)
  const given = (typeof request === 'string' ? undefined : request.form['process_id']) ?? visit.query.get('process_id')
  const id = typeof given === 'string' ? given : ''
  const process = visit.view.given.cancellable === false ? undefined : await findProcess(visit.view, visit.exchange, id)
  if (process === undefined) return unknown(visit, id)
  const { state } = await process.handle.cancel()
  return visit.format === 'html' ? redirectAnswer(linksFor(visit, id).processing) : jsonAnswer(visit, { process_id: id, state })
}

const tooLarge = (): Response => textAnswer('413 Content Too Large', { status: 413 })

/** An answer about the process that the query names, if who asks may see it. */
function withProcess(answer: (visit: Visit, process: Process) => Promise<Response>): Answer {
  return async (visit) => {
    const id = visit.query.get('process_id') ?? ''
    const process = await findProcess(visit.view, visit.exchange, id)
    return process === undefined ? unknown(visit, id) : answer(visit, process)
  }
}

/** The same for everybody; asked for anew after an update of this library, since browsers check what they keep. */
function script(): Response {
  return new Response(SCRIPT, {
    headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' },
  })
}

async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel()
  return new Response(null, { status: response.status, headers: response.headers })
}

function warn(message: string): void {
  const state = appState()
  if (state.kind === 'on') state.runtime.log.warn(message)
}
