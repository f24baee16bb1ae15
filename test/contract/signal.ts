/** A promise, and the way to resolve it. */
export function signal<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((done) => (resolve = done))
  return { promise, resolve }
}

/** Nobody passes before all have come. */
export function barrier(size: number): { arrive(): Promise<void> } {
  const open = signal<void>()
  let missing = size
  return {
    arrive() {
      missing--
      if (missing === 0) open.resolve()
      return open.promise
    },
  }
}
