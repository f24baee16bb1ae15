import { AsyncLocalStorage } from 'node:async_hooks'
import { clsNamespaces } from './cls-namespaces.js'

/** Taken while this module is loaded, which is before the first request when the package is imported at the top of a module. */
const atRoot = AsyncLocalStorage.snapshot()

/**
 * Runs `fn` outside any request and returns what it returns: no AsyncLocalStorage has a store in it, no cls-hooked namespace a
 * value. For whatever outlives the request that happens to open it: a socket opened inside a request would keep that request's
 * context for all its later events.
 */
export function outside<T>(fn: () => T): T {
  return atRoot(() => {
    let run = fn
    for (const namespace of Object.values(clsNamespaces())) {
      // a destroyed namespace stays in the list as null
      if (namespace) run = namespace.bind(run, {})
    }
    return run()
  })
}
