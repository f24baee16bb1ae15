import { currentScope, runInScope } from '../core/context.js'

/** Runs `fn` with `value` attached to its flow under `key`: how a hook hands the body what it opened. */
export function runWith<T>(key: symbol, value: unknown, fn: () => T): T {
  const scope = currentScope()
  const attached = new Map([...(scope?.attached ?? []), [key, value]])
  return runInScope({ context: scope?.context, task: scope?.task, within: scope?.within, intercept: scope?.intercept, attached }, fn)
}

/** What is attached to this flow under `key`; `undefined` where nothing is. */
export const attachedTo = (key: symbol): unknown => currentScope()?.attached?.get(key)
