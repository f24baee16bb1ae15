/** Columns of a terminal nobody knows anything of. */
export const USUAL_WIDTH = 80
const LABEL_WIDTH = 11

/** A time, and how long ago that is. */
export const timeOf = (date: Date | undefined, now: number): string =>
  date === undefined ? 'at a time not known' : `${date.toISOString()} (${ageOf(date, now)})`

const UNITS: readonly (readonly [string, number])[] = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]]

/** How long ago, in one unit: `3m ago`. */
export function ageOf(date: Date | undefined, now: number): string {
  if (date === undefined) return '?'
  const ms = now - date.getTime()
  const [unit, length] = UNITS.find(([, one]) => Math.abs(ms) >= one) ?? ['s', 1000]
  const amount = `${Math.floor(Math.abs(ms) / length)}${unit}`
  return ms < 0 ? `in ${amount}` : `${amount} ago`
}

/** Texts of strangers must not steer the terminal. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
export const clean = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')

/** `text` in one line of the terminal. */
export const cut = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text)

/** Lines with a label in front of the first. */
export function wrapped(label: string, text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    const fits = line === '' || longer.length <= USUAL_WIDTH - LABEL_WIDTH
    if (!fits) lines.push(line)
    line = fits ? longer : word
  }
  return [...lines, line].map((part, index) => `${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${part}`)
}
