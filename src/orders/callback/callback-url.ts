import { isIP } from 'node:net'
import { ErrandError } from '../../errors.js'
import type { CallbackSettings } from '../../runtime/runtime.js'
import { isCallable } from './address.js'

/** What decides which URLs may be called. */
export type CallbackRules = Pick<CallbackSettings, 'hosts' | 'allowPrivate'>

/** Longer ones are cut by proxies and servers on the way. */
const LONGEST_URL = 2048

/**
 * The URL of a callback as it will be called, or a refusal that the person who gave it may read: it repeats nothing but the host.
 * Names are looked up when the call is made, see `resolve.ts`.
 * @throws ErrandError `CALLBACK_REFUSED`
 */
export function callbackUrl(given: unknown, rules: CallbackRules): URL {
  if (rules.hosts.length === 0) throw refused('this service sends no callbacks. Name the hosts that may be called under callbacks.hosts in the configuration')
  if (typeof given !== 'string' || given.length > LONGEST_URL) throw refused(`it must be a text of at most ${LONGEST_URL} characters`)
  // a parser drops these silently, and what a person checked is not what is called
  if (/[\s\\\p{C}]/u.test(given) || !URL.canParse(given)) throw refused('it is no URL. Write it whole, such as https://example.org/done, with special characters as %xx')
  const url = new URL(given)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && rules.allowPrivate)) throw refused('only https: URLs are called')
  if (url.username !== '' || url.password !== '') throw refused('it holds a user or a password. The signature of a callback says who sends it')
  url.hash = ''
  // the same host to a resolver, and another one to certificates
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1)
  const host = hostOf(url)
  if (!rules.hosts.some((pattern) => matches(pattern, url))) throw refused(`the host ${url.host} is none of those that may be called. Ask for it to be named under callbacks.hosts`)
  if (isIP(host) !== 0 && !isCallable(host, rules.allowPrivate)) throw notPublic(url)
  return url
}

/** The name or address to connect to; IPv6 without its brackets. */
export const hostOf = ({ hostname }: URL): string => (hostname.startsWith('[') ? hostname.slice(1, -1) : hostname)

/** Without path and query, in which there may be secrets. */
export const shown = ({ origin }: URL): string => origin

/** @returns the refusal of a host whose address is not for everybody */
export const notPublic = (url: URL): ErrandError =>
  refused(`the host ${url.host} has an address in a private network. Where that is meant, set callbacks.allowPrivate in the configuration`)

const refused = (why: string): ErrandError => new ErrandError('CALLBACK_REFUSED', `The callback URL cannot be used: ${why}.`)

function matches(pattern: string, url: URL): boolean {
  const colon = /:(\d+|\*)$/.exec(pattern)
  const wanted = colon === null ? pattern : pattern.slice(0, colon.index)
  return matchesPort(colon?.[1], url) && matchesHost(wanted, url.hostname)
}

function matchesPort(wanted: string | undefined, { port, protocol }: URL): boolean {
  if (wanted === '*') return true
  // the URL leaves the port of its protocol out
  const usual = protocol === 'https:' ? '443' : '80'
  return (port || usual) === (wanted ?? usual)
}

function matchesHost(wanted: string, name: string): boolean {
  if (wanted === '*') return true
  return wanted.startsWith('*.') ? name.endsWith(wanted.slice(1)) && name.length > wanted.length - 1 : name === wanted
}
