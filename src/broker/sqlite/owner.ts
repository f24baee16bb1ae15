import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process as the others can recognise it. */
export interface Owner {
  /** Machine and process-id namespace: only inside one of them a pid says anything. */
  readonly host: string
  readonly pid: number
  /** When it started, in a form that differs for any two processes of one pid; empty where the platform cannot tell. */
  readonly started: string
}

/** An {@link Owner} on the books. */
export interface OwnerRow extends Owner {
  readonly number: number
  /** Until when it is alive by its own word; milliseconds since the epoch. */
  readonly lease: number
}

/** How long a process that cannot be looked at counts as alive after it last said so. */
export const LEASE_MS = 60_000
/** Nobody alive has a lease that goes beyond this: it is of a time before the clock was set back. */
const FARTHEST_MS = 2 * LEASE_MS
/** Where a pid may have gone to another process unseen, an old lease decides in the end. */
const DOUBTFUL_MS = 10 * LEASE_MS

/** This process. */
export function thisOwner(): Owner {
  return { host: `${hostname()}/${namespace()}`, pid: process.pid, started: look(process.pid) ?? '' }
}

/**
 * Whether an owner is gone. On this machine that is asked of the system, so a process whose event loop is blocked for minutes
 * is alive, and one that was killed is known dead within a moment. Elsewhere only its lease can tell; with `now` undefined, in the
 * moments after the clock was set, it tells nothing.
 */
export function isGone(row: OwnerRow, self: Owner, now: number | undefined): boolean {
  if (row.host !== self.host) return now !== undefined && (row.lease < now || row.lease > now + FARTHEST_MS)
  if (!exists(row.pid)) return true
  if (row.started === '') return now !== undefined && row.lease + DOUBTFUL_MS < now
  const started = look(row.pid)
  return started !== undefined && started !== row.started
}

function exists(pid: number): boolean {
  try {
    // sends nothing: signal 0 only asks
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * Boot and start time of a process, `dead` for one that has ended and waits for its parent, `undefined` where it cannot be
 * seen.
 */
function look(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // the name of the program, in brackets, may hold anything; the state and 18 fields later the start time follow it
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : `${boot}/${fields[19]}`
  } catch {
    return undefined
  }
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}
