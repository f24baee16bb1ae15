import { randomFillSync, randomUUID } from 'node:crypto'

/** Time and identity as the rest of the library sees them; tests hand in their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Runs `fn` once after `ms`; the answer cancels it. A timer never keeps the process alive by itself. */
  after(ms: number, fn: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** A new id of a message or process: 122 random bits, not guessable (RFC 9562, version 4). */
export const newId = (): string => randomUUID()

const POOLED = 256
const ID_BYTES = 16
const pool = Buffer.alloc(POOLED * ID_BYTES)
let used = POOLED
let last = 0
let sequence = 0

/**
 * A new id of a task: its millisecond, a sequence number and 62 random bits, not guessable (RFC 9562, version 7, method 1). Ids of one
 * process rise, so that what is made together stands together in every index.
 */
export function newTaskId(): string {
  if (used === POOLED) {
    randomFillSync(pool)
    used = 0
  }
  const at = used++ * ID_BYTES
  const now = Date.now()
  // begun in the lower half, so that a millisecond has room; one that is full borrows from the next
  sequence = now > last ? pool.readUInt16BE(at + 6) & 0x7ff : sequence + 1
  last = Math.max(now, last) + (sequence >> 12)
  sequence &= 0xfff
  pool.writeUIntBE(last, at, 6)
  pool.writeUInt16BE(0x7000 | sequence, at + 6)
  pool.writeUInt8(0x80 | (pool.readUInt8(at + 8) & 0x3f), at + 8)
  const hex = pool.toString('hex', at, at + ID_BYTES)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
