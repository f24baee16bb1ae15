import type { ErrandError, ErrorCode } from '../errors.js'

/** Codes of failures that pass: whoever comes again later may have more luck. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'BROKER_UNREACHABLE',
  'BROKER_REFUSED',
  'BROKER_CLOSED',
  'PUBLISH_TIMEOUT',
  'PUBLISH_UNROUTABLE',
  'QUEUE_FULL',
  'STORE_UNREACHABLE',
  'STORE_REFUSED',
  'STORE_CLOSED',
  'WORKER_CRASH_LOOP',
])

/** Whether a request that failed so is answered with 503. */
export const isPassing = ({ code }: ErrandError): boolean => PASSING.has(code)
