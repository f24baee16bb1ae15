import { processState } from './process-state.js'

/** What of a request may travel, for the whole process; the configuration has all of it. */
export interface ContextSettings {
  /** Names of the headers that a context holds, in lower case. */
  readonly headers: readonly string[]
}

/** Headers that travel when the configuration names none. Cookies are not among them. */
export const DEFAULT_HEADERS: readonly string[] = [
  'authorization',
  'accept-language',
  'x-request-id',
  'traceparent',
  'tracestate',
]

const state = processState('context-settings', () => ({ current: { headers: DEFAULT_HEADERS } as ContextSettings }))

/** What holds now: the defaults until `start()` has read the configuration. */
export const contextSettings = (): ContextSettings => state.current

/** Makes `settings` hold for every context captured from now on. */
export function setContextSettings({ headers }: ContextSettings): void {
  state.current = { headers }
}
