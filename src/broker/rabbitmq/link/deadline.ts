/** What `work` resolves with, or `late` when it is not there after `ms`. The work itself goes on. */
export function within<T, L>(work: Promise<T>, ms: number, late: () => L): Promise<T | L> {
  return new Promise((resolve, reject) => {
    // not unref'd: somebody waits for this answer, and it comes soon
    const timer = setTimeout(() => {
      try {
        resolve(late())
      } catch (error) {
        reject(error)
      }
    }, ms)
    const settle = <A>(how: (value: A) => void) => (value: A): void => {
      clearTimeout(timer)
      how(value)
    }
    work.then(settle(resolve), settle(reject))
  })
}

/** A promise with the two functions that settle it. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
