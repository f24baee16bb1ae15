import type { Clock } from '../src/core/clock.js'
import type { Logger } from '../src/core/logger.js'
import type { LoadModule } from './module-loader.js'

const FIRST_WARNING_MS = 5_000
const NEXT_WARNING_MS = 30_000

/** `load` with a warning, again and again, while a module does not come to its end: a worker that waits for it runs nothing. */
export function warningWhenSlow(load: LoadModule, { log, clock }: { readonly log: Logger; readonly clock: Clock }): LoadModule {
  return async (url, role) => {
    const since = clock.now()
    let cancel = (): void => {}
    const warn = (): void => {
      const seconds = Math.round((clock.now() - since) / 1000)
      log.warn(`The worker is still loading the ${role} ${decodeURI(url)} after ${seconds} s; no task runs until its top-level await ends.`)
      cancel = clock.after(NEXT_WARNING_MS, warn)
    }
    cancel = clock.after(FIRST_WARNING_MS, warn)
    try {
      return await load(url, role)
    } finally {
      cancel()
    }
  }
}
