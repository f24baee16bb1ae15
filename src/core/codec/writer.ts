import type { Wire } from './wire.js'

/** How a path names one way down: a field, an index, or words for what has neither. */
export type Step = string | number | { readonly words: string }

/** What the writers of single kinds of values may ask of the walk they are part of. */
export interface Writer {
  /** Writes a value that is part of the current one. */
  part(step: Step, value: unknown): Wire
  /** Writes the own enumerable fields of `value`, minus those named in `except`. */
  fields(value: object, except?: readonly string[]): Wire
  /** Ends the walk: "argument 0 at "order.stream" `problem`". */
  refuse(problem: string, cause?: unknown): never
  /** Whatever refers back to `value` from here on is refused: it is not there yet when its parts are read. */
  closeToReferences(value: object): void
}

/** A path in a message is for people; the middle of a very long one says nothing. */
const LONGEST_PATH = 240

/** `order.items[2]["odd key"]`, from the steps that led there. */
export function pathOf(steps: readonly Step[]): string {
  let path = ''
  for (const step of steps) {
    if (typeof step === 'number') path += `[${step}]`
    else if (typeof step === 'object') path += step.words
    else if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step)) path += `[${JSON.stringify(step)}]`
    else path += path === '' ? step : `.${step}`
  }
  return path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH / 2)}…${path.slice(-LONGEST_PATH / 2)}` : path
}
