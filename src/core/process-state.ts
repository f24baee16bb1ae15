/**
 * State that must exist once per process even when two copies of this package are loaded (one by `require`, one nested under
 * another dependency): it hangs on `globalThis` under a versioned symbol.
 */
const KEY = Symbol.for('errand/v1')

type Holder = { [KEY]?: Map<string, unknown> }

/** The process-wide value called `name`, made by `create` when it is asked for first. */
export function processState<T>(name: string, create: () => T): T {
  const holder = globalThis as Holder
  const states = (holder[KEY] ??= new Map())
  if (!states.has(name)) states.set(name, create())
  // every name is used by one module, which also gives the type
  return states.get(name) as T
}
