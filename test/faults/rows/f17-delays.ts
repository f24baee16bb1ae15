import { delayRow } from '../delay-row.js'
import { QUICK_DEAD_LETTERS } from '../row.js'

export const row = delayRow({
  id: 'F17',
  title: 'delayed calls, and the broker is killed while they wait',
  advanced: QUICK_DEAD_LETTERS,
  stallMs: 3000,
})
