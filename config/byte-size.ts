const UNIT_BYTES = { b: 1, kb: 1024, mb: 1_048_576 } as const

/** 128 MB: no broker takes a larger message. */
export const MOST_BYTES = 128 * UNIT_BYTES.mb

/** Bytes of a number or of a text such as `'512kb'` or `'1mb'` (1 kb = 1024 bytes); `undefined` for anything else. */
export function toBytes(given: unknown): number | undefined {
  const bytes = typeof given === 'string' ? parse(given) : given
  if (typeof bytes !== 'number' || !Number.isInteger(bytes) || bytes < 1 || bytes > MOST_BYTES) return undefined
  return bytes
}

function parse(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb)$/i.exec(text.trim())
  if (match === null) return undefined
  // the pattern admits these units only
  return Math.round(Number(match[1]) * UNIT_BYTES[String(match[2]).toLowerCase() as keyof typeof UNIT_BYTES])
}
