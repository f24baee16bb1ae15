/**
 * What `ended` ends with, or the error with which it is given up before. `watch` begins to look whether it has to be, and answers how to
 * stop that.
 */
export function unlessGivenUp<T>(ended: Promise<T>, watch: (giveUp: (error: unknown) => void) => () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = watch(reject)
    ended.then(
      (value) => {
        stop()
        resolve(value)
      },
      (error: unknown) => {
        stop()
        reject(error)
      },
    )
  })
}
