import { delayRow } from '../delay-row.js'

export const row = delayRow({
  id: 'F17-default',
  title: 'the same without the setting of the server that docs/operating.md recommends',
  stallMs: 180_000,
  isOnlyLong: true,
})
