import { processState } from '../core/process-state.js'

/** What a hook around a run is told. */
export interface RunInfo {
  readonly id: string
  readonly task: string
  readonly attempt: number
}

/**
 * Wraps every run of a task: call `run` once and hand on what it answers. What comes before and after holds for the body, and a
 * throw (of the body or of the hook) fails the run.
 */
export type AroundHook = (run: () => Promise<unknown>, info: RunInfo) => Promise<unknown>

const hooks = processState('around', () => [] as AroundHook[])

/**
 * Uses `hook` around every run in this process; the first one given is the outermost. Put it in a module that the services import.
 * @returns a function that takes it away again
 * @example
 * around(async (run) => { const tx = await db.begin(); try { const value = await run(); await tx.commit(); return value } catch (error) { await tx.rollback(); throw error } })
 */
export function around(hook: AroundHook): () => void {
  hooks.push(hook)
  return () => {
    const at = hooks.indexOf(hook)
    if (at >= 0) hooks.splice(at, 1)
  }
}

/** `run` inside all hooks. */
export function runInHooks(run: () => Promise<unknown>, info: RunInfo): Promise<unknown> {
  if (hooks.length === 0) return run()
  return hooks.reduceRight<() => Promise<unknown>>((inner, hook) => () => hook(inner, info), run)()
}
