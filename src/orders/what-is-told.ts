import { show } from '../core/options.js'
import { ErrandError } from '../errors.js'
import { LONGEST_LINK } from '../store/bounds.js'

/** @throws ErrandError `OPTION_INVALID` */
export function checkedMessage(text: unknown): string {
  if (typeof text === 'string') return text
  throw new ErrandError('OPTION_INVALID', `setMessage() takes a text, got ${show(text)}.`)
}

/** @throws ErrandError `OPTION_INVALID` for what a browser would not show as a page of some host */
export function checkedResourceUrl(url: unknown): string {
  if (url === '') return url
  if (typeof url === 'string' && url.length <= LONGEST_LINK && absoluteResourceUrl(url, 'http://host.invalid') !== '') return url
  throw new ErrandError('OPTION_INVALID', `setResourceUrl() takes a path that begins with one "/", or an http: or https: URL, of ${LONGEST_LINK} characters at most, got ${show(url)}.`)
}

/** A stored address as the client gets it; empty where there is none, or one that no client should follow. */
export function absoluteResourceUrl(stored: string, origin: string): string {
  if (/^https?:\/\//i.test(stored)) return URL.canParse(stored) ? stored : ''
  if (!/^\/(?![/\\])/.test(stored) || !URL.canParse(stored, origin)) return ''
  const url = new URL(stored, origin)
  return url.origin === origin ? url.href : ''
}
