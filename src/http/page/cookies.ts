import { ErrandError } from '../../errors.js'
import { show } from '../../core/options.js'

/** A cookie that a response sets. */
export interface PageCookie {
  readonly name: string
  /** Any text; it is percent-encoded. */
  readonly value: string
  /** How long it stays; 0 removes it. @defaultValue until the browser is closed */
  readonly maxAgeSeconds?: number | undefined
  /** @defaultValue '/' */
  readonly path?: string | undefined
  readonly domain?: string | undefined
  /** Whether scripts cannot read it. @defaultValue true */
  readonly httpOnly?: boolean | undefined
  /** Whether it is sent over HTTPS alone. @defaultValue whether the request came that way */
  readonly secure?: boolean | undefined
  /** @defaultValue 'Lax' */
  readonly sameSite?: 'Strict' | 'Lax' | 'None' | undefined
}

const NAME = /^[!#$%&'*+.^_`|~\w-]{1,200}$/
const ATTRIBUTE = /^[\x21-\x3a\x3c-\x7e]{1,400}$/
const SAME_SITE: readonly unknown[] = ['Strict', 'Lax', 'None']

/** @throws ErrandError `RESPONSE_INVALID` */
export function checkCookies(cookies: readonly PageCookie[]): void {
  for (const { name, value, path = '/', domain = 'x', sameSite = 'Lax', maxAgeSeconds = 0 } of cookies) {
    const isSendable = NAME.test(name) && typeof value === 'string' && ATTRIBUTE.test(path) && ATTRIBUTE.test(domain)
    if (isSendable && SAME_SITE.includes(sameSite) && Number.isInteger(maxAgeSeconds)) continue
    throw new ErrandError('RESPONSE_INVALID', `Cannot send the result of a task as a response: the cookie ${show(name)} is none.`)
  }
}

/** The `Set-Cookie` of a cookie that was checked. */
export function serializeCookie(cookie: PageCookie, isHttps: boolean): string {
  const { name, value, maxAgeSeconds, path = '/', domain, httpOnly = true, secure = isHttps, sameSite = 'Lax' } = cookie
  const parts = [`${name}=${encodeURIComponent(value)}`, `Path=${path}`, `SameSite=${sameSite}`]
  if (maxAgeSeconds !== undefined) parts.push(`Max-Age=${maxAgeSeconds}`)
  if (domain !== undefined) parts.push(`Domain=${domain}`)
  if (httpOnly) parts.push('HttpOnly')
  if (secure || sameSite === 'None') parts.push('Secure')
  return parts.join('; ')
}

/** The value of a cookie of a request as it was set. */
export function readCookie(header: string | null, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const equals = part.indexOf('=')
    if (equals === -1 || part.slice(0, equals).trim() !== name) continue
    try {
      return decodeURIComponent(part.slice(equals + 1).trim())
    } catch {
      return undefined
    }
  }
  return undefined
}
