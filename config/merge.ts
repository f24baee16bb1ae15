import type { BrokerInput, ConfigInput } from './schema.js'

/** The `broker` key in its long form. */
export type BrokerSection = Extract<BrokerInput, { url?: unknown }> & { readonly isMemory?: boolean | undefined }

/** A configuration of several layers in one, with the broker in its long form. */
export type MergedInput = Omit<ConfigInput, 'broker'> & { readonly broker?: BrokerSection | undefined }

/** Puts `over` on `under`: sections are merged key by key, everything else is replaced. Keys that are `undefined` say nothing. */
export function mergeLayers(under: MergedInput, over: ConfigInput): MergedInput {
  const { broker, callbacks, worker, ...rest } = over
  const hasKey = over.key !== undefined || over.keys !== undefined
  return {
    ...under,
    // `key` and `keys` say the same thing: the upper layer's replaces both
    ...(hasKey ? { key: undefined, keys: undefined } : {}),
    ...given(rest),
    ...(callbacks === undefined ? {} : { callbacks: { ...under.callbacks, ...given(callbacks) } }),
    ...(worker === undefined ? {} : { worker: { ...under.worker, ...given(worker) } }),
    ...(broker === undefined ? {} : { broker: mergeBrokers(under.broker, broker) }),
  }
}

function mergeBrokers(under: BrokerSection | undefined, over: BrokerInput): BrokerSection {
  const section = toSection(over)
  const isElsewhere = ADDRESS.some((key) => section[key] !== undefined)
  const kept = isElsewhere || under === undefined ? settingsFor(section, under) : under
  const tls = section.tls === undefined ? {} : { tls: { ...kept.tls, ...given(section.tls) } }
  return { ...kept, ...given(section), ...tls }
}

const ADDRESS = ['url', 'urls', 'file', 'isMemory'] as const

/** What stays of a broker section when the layer above names another address: its settings, if they fit that kind of broker. */
function settingsFor(over: BrokerSection, under: BrokerSection | undefined): BrokerSection {
  if (under === undefined || (kindOf(under) !== undefined && kindOf(over) !== kindOf(under))) return {}
  const { url: _url, urls: _urls, file: _file, isMemory: _isMemory, ...settings } = under
  return settings
}

function kindOf(broker: BrokerSection): 'rabbitmq' | 'sqlite' | 'memory' | undefined {
  if (broker.isMemory === true) return 'memory'
  if (broker.file !== undefined) return 'sqlite'
  return broker.url === undefined && broker.urls === undefined ? undefined : 'rabbitmq'
}

function toSection(broker: BrokerInput): BrokerSection {
  if (Array.isArray(broker)) return { urls: broker }
  if (typeof broker !== 'string') return broker
  if (broker === 'memory') return { isMemory: true }
  if (broker === 'sqlite') return { file: '' }
  return broker.startsWith('sqlite:') ? { file: broker.slice('sqlite:'.length) } : { url: broker }
}

function given<T extends object>(layer: T): T {
  // keys of T that are undefined may be absent as well: all of them are optional
  return Object.fromEntries(Object.entries(layer).filter(([, value]) => value !== undefined)) as T
}
