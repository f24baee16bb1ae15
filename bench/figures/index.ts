import type { Figure } from './figure.js'
import { inFlight, queued } from './growth.js'
import { inProcess } from './in-process.js'
import { backlog, start } from './memory.js'
import { dispatch, endToEnd } from './rates.js'
import { idle, results } from './waits.js'

/** Everything that can be measured of a system, in the order of the report. */
export const figures: readonly Figure[] = [dispatch, endToEnd, idle, results, inProcess, start, inFlight, backlog, queued]
