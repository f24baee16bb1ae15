import type { HttpHandler } from '../http/handler.js'
import { appState } from '../runtime/app.js'
import { lineLogger } from '../runtime/default-logger.js'
import { goneSignal, sendResponse, type NodeResponse } from './node-response.js'
import { pathOf, prepare, type Arrival } from './web-request.js'

/** A request and its response in the words of Node, and what their framework made of them. */
export interface NodeExchange extends Omit<Arrival, 'gone'> {
  readonly response: NodeResponse
}

/** Sends a response of the web standard by the means of one framework. */
export type Send = (response: Response, gone: AbortSignal) => Promise<unknown>

/**
 * Answers a request by a handler that knows only the web standard.
 * @param send what sends its response; by default the response of Node itself
 * @returns `false` when the request is not the handler's: nothing of it was touched, and the framework goes on
 * @throws what the handler threw, for the framework to answer
 */
export async function answerNode(handler: HttpHandler, { response: outgoing, ...arrival }: NodeExchange, send?: Send): Promise<boolean> {
  const gone = goneSignal(outgoing)
  const prepared = prepare({ ...arrival, gone })
  if (prepared === undefined) return false
  const response = await unlessGone(handler(prepared.exchange), arrival, gone)
  if (response === 'gone') return true
  if (response === undefined) return false
  try {
    await (send === undefined ? sendResponse(response, outgoing, { method: arrival.method, gone }) : send(response, gone))
  } catch (error) {
    logFailure(arrival, 'broke off', error)
  }
  prepared.release()
  return true
}

/** No error handler can answer a client that has gone. */
async function unlessGone(answer: ReturnType<HttpHandler>, arrival: Failing, gone: AbortSignal): Promise<Response | undefined | 'gone'> {
  try {
    return await answer
  } catch (error) {
    if (!gone.aborted) throw error
    if (!isHangUp(error)) logFailure(arrival, 'failed', error)
    return 'gone'
  }
}

/** What reading the body of a client that goes away fails with, which is nobody's failure. */
const isHangUp = (error: unknown): boolean => error instanceof Error && (error.name === 'AbortError' || ('code' in error && error.code === 'ECONNRESET'))

type Failing = Pick<Arrival, 'request' | 'target'>

/** Says in the log what no client is told. */
export function logFailure({ request, target }: Failing, how: string, error: unknown): void {
  const state = appState()
  const log = state.kind === 'on' ? state.runtime.log : lineLogger('errand', 'info', process.stderr)
  log.error(`The response to ${request.method ?? 'GET'} ${pathOf(target ?? '/')} ${how}: ${String(error)}`)
}
