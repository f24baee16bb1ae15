/**
 * What `fn` answers or throws, as a promise. One that it answers is handed on as it is; an `async` function would wrap it once more, which
 * costs every call and run of a task about a microsecond (two for the hooks of Node 20, behind which AsyncLocalStorage stands).
 */
export function promised<T>(fn: () => T | Promise<T>): Promise<T> {
  try {
    const answer = fn()
    return answer instanceof Promise ? answer : Promise.resolve(answer)
  } catch (error) {
    return Promise.reject(error)
  }
}
