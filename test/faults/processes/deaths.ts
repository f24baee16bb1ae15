import { readFileSync, unlinkSync } from 'node:fs'

/** Steps of a run at which a worker can be told to die, in their order. */
export const STEPS = [
  'begun',
  'before the watch',
  'on watch, not acknowledged',
  'watched',
  'body over',
  'before a successor is sent',
  'successor sent, not confirmed',
  'successor stored, not acknowledged',
  'before the end marker',
  'after the end marker',
  'before the acknowledgement',
] as const

export type Step = (typeof STEPS)[number]

/** Ends this process as a power cut would where the file of the environment names this step, and the file with it: one dies. */
export function dieAt(step: Step): void {
  const path = process.env['ERRAND_FAULT_DIE_AT'] ?? ''
  try {
    if (path === '' || readFileSync(path, 'utf8') !== step) return
    unlinkSync(path)
  } catch {
    return // nobody is to die, or another process just did
  }
  process.kill(process.pid, 'SIGKILL')
}
