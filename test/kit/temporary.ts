import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What one test opened: closed in reverse order when the test ends, whatever became of it. */
export class Scope {
  readonly #closers: (() => unknown)[] = []
  #folder: string | undefined

  /** Runs `close` when the test ends. */
  defer(close: () => unknown): void {
    this.#closers.push(close)
  }

  /** Hands `thing` through and disposes it when the test ends. */
  use<T extends AsyncDisposable>(thing: T): T {
    this.defer(() => thing[Symbol.asyncDispose]())
    return thing
  }

  /** A folder of this test alone, the same at each call; it goes with the test. */
  folder(): string {
    if (this.#folder === undefined) {
      const folder = mkdtempSync(join(tmpdir(), 'errand-test-'))
      this.#folder = folder
      // a process that was killed a moment ago may have put a file there since the folder was listed
      this.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
    }
    return this.#folder
  }

  /** A path in {@link folder}. */
  file(name: string): string {
    return join(this.folder(), name)
  }

  /** Closes everything, also when one part fails to; throws the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}

/**
 * For the top of a `describe`: the answer gives the scope of the test that runs now.
 *
 * @example
 * const scope = eachScope()
 * it('keeps a message', async () => { const file = scope().file('queue.db') … })
 */
export function eachScope(): () => Scope {
  let current = new Scope()
  beforeEach(() => {
    current = new Scope()
  })
  afterEach(() => current.close())
  return () => current
}
