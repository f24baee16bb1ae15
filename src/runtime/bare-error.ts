import { ErrandError } from '../errors.js'

/** An error whose own fields cannot travel (an HTTP client's sockets, say), without them: class, message and code can. */
export function bareError(task: string, error: unknown): Error {
  if (!(error instanceof Error)) return new ErrandError('TASK_FAILED', `${task} threw a value that cannot travel. Throw an Error.`)
  const bare = Object.create(Object.getPrototypeOf(error) as object) as Error // of the class of the error
  const code: unknown = Reflect.get(error, 'code')
  for (const [key, value] of Object.entries({ name: error.name, message: error.message, code })) {
    if (typeof value === 'string') Object.defineProperty(bare, key, { value, configurable: true, writable: true, enumerable: key === 'code' })
  }
  return bare
}
