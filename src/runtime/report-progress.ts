import type { TaskScope } from '../core/context.js'
import { show } from '../core/options.js'
import { ErrandError } from '../errors.js'

/** @throws ErrandError `OPTION_INVALID`, and for the data `VALUE_UNSERIALIZABLE`, `PAYLOAD_TOO_LARGE` */
export function reportProgress(task: TaskScope, value: number | true, data: unknown): void {
  const isPercent = typeof value === 'number' && !Number.isNaN(value)
  if (!isPercent && value !== true) {
    throw new ErrandError('OPTION_INVALID', `The progress of ${task.name} must be percent from 0 to 100, or true, got ${show(value)}.`)
  }
  task.reportProgress?.(isPercent ? percent(value) : true, data ?? undefined)
}

/** Between 0 and 100, with one decimal. */
const percent = (value: number): number => Math.round(Math.min(100, Math.max(0, value)) * 10) / 10
