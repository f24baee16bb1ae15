import type { BrokerConfig, Config, StoreConfig } from './config.js'

const MASK = '***'
/** Shorter values are too common to be found inside other texts. */
const SHORTEST_INNER = 4

const variablesOf = new WeakMap<Config, readonly string[]>()

/** Notes which environment variables are in `config`, so that {@link maskConfig} can hide their values. */
export function rememberVariables(config: Config, names: readonly string[]): void {
  variablesOf.set(config, [...new Set(names)])
}

/** A URL without its password and query, fit for logs and messages. What is not a URL is hidden whole. */
export function maskUrl(url: string): string {
  if (!URL.canParse(url)) return MASK
  const { protocol, username, password, host, pathname, search } = new URL(url)
  const user = username === '' && password === '' ? '' : `${username}${password === '' ? '' : `:${MASK}`}@`
  return `${protocol}//${user}${host}${pathname}${search === '' ? '' : `?${MASK}`}`
}

/** A copy of `config` for people: no key, password or passphrase, and names of environment variables in place of their values. */
export function maskConfig(config: Config): Record<string, unknown> {
  const variables = (variablesOf.get(config) ?? []).flatMap((name) => {
    const value = process.env[name]
    return value === undefined || value === '' ? [] : [{ name: `\${${name}}`, value }]
  })
  const { keys, broker, database, store } = config
  const callbacks = { ...config.callbacks, secret: config.callbacks.secret === undefined ? undefined : MASK }
  const masked = { ...config, callbacks, keys: keys.map(maskKey), broker: maskBroker(broker), database: maskOptional(database), store: maskStore(store) }
  // the copy of an object is an object
  return hideVariables(masked, variables) as Record<string, unknown>
}

interface Variable {
  readonly name: string
  readonly value: string
}

function hideVariables(value: unknown, variables: readonly Variable[]): unknown {
  if (typeof value === 'string') return variables.reduce(hide, value)
  if (Array.isArray(value)) return value.map((item: unknown) => hideVariables(item, variables))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hideVariables(inner, variables)]))
}

function hide(text: string, { name, value }: Variable): string {
  if (text === value) return name
  return value.length < SHORTEST_INNER ? text : text.replaceAll(value, () => name)
}

const maskOptional = (url: string | undefined): string | undefined => (url === undefined ? undefined : maskUrl(url))

function maskBroker(broker: BrokerConfig): unknown {
  if (broker.kind !== 'rabbitmq') return broker
  const tls = broker.tls.passphrase === undefined ? broker.tls : { ...broker.tls, passphrase: MASK }
  return { ...broker, urls: broker.urls.map(maskUrl), tls }
}

const maskStore = (store: StoreConfig): unknown => (store.kind === 'postgres' ? { ...store, url: maskUrl(store.url) } : store)

/** The id of a key is no secret: it stands in every message. */
function maskKey(key: string): string {
  const id = /^([\w.-]{1,40}):/.exec(key)?.[1]
  return id === undefined ? MASK : `${id}:${MASK}`
}
