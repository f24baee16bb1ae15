import { ErrandError } from '../../errors.js'
import { appState } from '../../runtime/app.js'
import { lineLogger } from '../../runtime/default-logger.js'
import { traceOf } from '../../runtime/trace.js'
import { isPassing } from '../passing.js'
import { Refusal, type Problem } from '../problem.js'
import { refusedContext } from './body.js'

const PAUSE_SECONDS = '5'

/** What a client is told of something that was thrown: in fixed words, since what an error says is for the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refusal) return error.problem
  const code = error instanceof ErrandError ? error.code : undefined
  // says what is wrong with what the client gave, and no more of it than the host
  if (error instanceof ErrandError && code === 'CALLBACK_REFUSED') return { status: 400, detail: error.message, more: { callback: [error.message] } }
  if (code === 'PAYLOAD_TOO_LARGE') return { status: 413, detail: 'The context of the order is too large to be kept.' }
  if (code === 'VALUE_UNSERIALIZABLE') return refusedContext('The value is not a valid JSON object that can be kept.').problem
  log(error)
  if (error instanceof ErrandError && isPassing(error)) {
    return { status: 503, detail: 'Orders cannot be served for now. Try again later.', headers: { 'retry-after': PAUSE_SECONDS } }
  }
  return { status: 500, detail: 'The request could not be served.' }
}

function log(error: unknown): void {
  const state = appState()
  const to = state.kind === 'on' ? state.runtime.log : lineLogger('errand', 'warn', process.stderr)
  to.error(`A request about orders failed: ${traceOf(error)}`)
}
