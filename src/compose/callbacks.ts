import type { Config } from '../../config/config.js'
import { callbackSecretOf, readCallbackSecret } from '../core/seal/callback-secret.js'
import type { CallbackSettings } from '../runtime/runtime.js'

/** Where no secret is configured, every sealing key has one, so that receivers have time to learn of a new key. */
export function callbackSettings({ callbacks }: Config, keys: readonly string[]): CallbackSettings {
  const { secret, ...rules } = callbacks
  const texts = secret === undefined ? keys.map(callbackSecretOf) : [secret]
  return { ...rules, secrets: texts.flatMap((text) => readCallbackSecret(text) ?? []) }
}
