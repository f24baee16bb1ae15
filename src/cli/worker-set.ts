import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../config/config.js'
import type { LeaderStatus } from '../../worker/supervisor/election.js'
import { queryLeader } from '../../worker/supervisor/election.js'
import { ErrandError } from '../errors.js'

/** How a command ended: what to say, and whether that is what was asked for. */
export interface Outcome {
  readonly isDone: boolean
  readonly text: string
}

export const done = (text: string): Outcome => ({ isDone: true, text })
export const failed = (text: string): Outcome => ({ isDone: false, text })

/** On top of the grace period, for aborting tasks, handing them back and closing. */
export const CLOSING_MS = 5_000
const LOOK_EVERY_MS = 50

/** Says how a command ended, and gives the process the exit code for it. */
export function conclude({ isDone, text }: Outcome): void {
  if (isDone) console.log(text)
  else console.error(`errand: ${text}`)
  process.exitCode = isDone ? 0 : 1
}

/** What runs the workers of a service on this host, or why nothing does. */
export async function findSet(config: Config): Promise<LeaderStatus | Outcome> {
  if (!config.withAsync) return failed(`${nameOf(config)} has no workers, because withAsync is false.`)
  const unseen = 'those of `errand worker` without --keep-alive are not seen from here'
  return (await queryLeader(config)) ?? failed(`Nothing on this host runs workers of ${nameOf(config)} (${unseen}).`)
}

/** The service, as these commands call it. */
export const nameOf = ({ service, environment }: Config): string => `${service} (${environment})`

/** The process ids of the workers that exist. */
export const pidsOf = ({ workers }: LeaderStatus): readonly number[] => workers.flatMap(({ pid }) => pid ?? [])

/**
 * Sends a signal. One that has ended meanwhile needs none.
 * @throws ErrandError `OPTION_INVALID` when the process is another user's
 */
export function send(signal: 'SIGTERM' | 'SIGKILL', pid: number): void {
  try {
    process.kill(pid, signal)
  } catch (cause) {
    if (!isDenied(cause)) return
    const why = 'it belongs to another user. Run the command as that user.'
    throw new ErrandError('OPTION_INVALID', `Cannot send a signal to process ${pid}: ${why}`, { cause })
  }
}

/** Whether a process of that id runs. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return isDenied(error)
  }
}

/** Looks again and again until `look` answers something, for so long at most. */
export async function within<T>(ms: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = await look()
    if (found !== undefined || performance.now() > deadline) return found
    await sleep(LOOK_EVERY_MS)
  }
}

const isDenied = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EPERM'
