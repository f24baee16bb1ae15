import { ErrandError } from '../../errors.js'
import type { Held, Locks } from '../locks.js'

/** Opens names that live and die with this process; who shares the instance shares the names. */
export function openMemoryLocks(): Locks {
  return new MemoryLocks()
}

class MemoryLocks implements Locks {
  readonly #held = new Set<string>()
  #isClosed = false

  async take(name: string): Promise<Held | undefined> {
    if (this.#isClosed) throw new ErrandError('BROKER_CLOSED', 'Cannot take a name: the memory locks are closed. Open new ones.')
    if (this.#held.has(name)) return undefined
    this.#held.add(name)
    let isHeld = true
    return {
      // nothing can part this process from itself
      lost: new AbortController().signal,
      release: async () => {
        if (isHeld) this.#held.delete(name)
        isHeld = false
      },
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#held.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
