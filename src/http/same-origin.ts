/**
 * Whether a request that changes something comes from the application's own pages, or from no browser. Browsers say themselves where a
 * request comes from; those that are too old for that name an origin.
 */
export function isOwnOrigin({ headers, url }: Request, trusted: readonly string[]): boolean {
  const origin = headers.get('origin')
  if (origin !== null && trusted.includes(origin)) return true
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site === 'same-origin' || site === 'none'
  return origin === null || hostOf(origin) === new URL(url).host
}

/** By its host: behind a proxy the scheme may be another one here. `null` is the origin of nobody. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
