/** The middle one, or what lies between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const [upper = Number.NaN, lower = upper] = [sorted[half], sorted.length % 2 === 0 ? sorted[half - 1] : undefined]
  return (lower + upper) / 2
}

/** The middle and the range, as the tables have them. */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return '-'
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return least === most ? show(least) : `${show(median(values))} (${show(least)}-${show(most)})`
}

/** Three digits, or all before the point. */
export function show(value: number): string {
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en-US')
  if (size >= 10) return value.toFixed(1)
  return value.toFixed(size >= 1 || size === 0 ? 2 : 3)
}
