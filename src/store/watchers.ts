import type { Watch } from './store.js'

type Listener = (id: string) => void

/** Who is to be told of which task, within one process. */
export class Watchers {
  readonly #all = new Set<Listener>()
  readonly #byId = new Map<string, Set<Listener>>()
  readonly #onError: (error: unknown) => void

  /** `onError` hears of listeners that throw. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  get isEmpty(): boolean {
    return this.#all.size === 0 && this.#byId.size === 0
  }

  add(ids: readonly string[] | 'all', onChange: Listener): Watch {
    // a function of its own for each watch, should the same one be given twice
    const listener: Listener = (id) => onChange(id)
    if (ids === 'all') this.#all.add(listener)
    else for (const id of ids) this.#of(id).add(listener)
    return { stop: async () => this.#remove(ids, listener) }
  }

  tell(id: string): void {
    for (const listener of [...this.#all, ...(this.#byId.get(id) ?? [])]) {
      try {
        listener(id)
      } catch (error) {
        this.#onError(error)
      }
    }
  }

  clear(): void {
    this.#all.clear()
    this.#byId.clear()
  }

  #of(id: string): Set<Listener> {
    const listeners = this.#byId.get(id) ?? new Set()
    this.#byId.set(id, listeners)
    return listeners
  }

  #remove(ids: readonly string[] | 'all', listener: Listener): void {
    if (ids === 'all') return void this.#all.delete(listener)
    for (const id of ids) {
      const listeners = this.#byId.get(id)
      listeners?.delete(listener)
      if (listeners?.size === 0) this.#byId.delete(id)
    }
  }
}
