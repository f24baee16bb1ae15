import { Command } from 'commander'
import { keyFile, loadKeys, rotateKeyFile } from '../../config/keys.js'
import { callbackSecretOf } from '../core/seal/callback-secret.js'
import { generateKey } from '../core/seal/key-ring.js'
import { ErrandError } from '../errors.js'
import type { ConfigOptions } from './config-options.js'
import { configOf, takingConfig } from './config-options.js'

/** `errand key` */
export const keyCommand = (): Command =>
  takingConfig(new Command('key'))
    .description('print a new sealing key')
    .option('--write', 'put it in front of the keys in the key file of this host; the old ones stay to open what they sealed')
    .option('--callbacks', 'print the secret that signs callbacks, for whoever receives them')
    .action(async ({ write = false, callbacks = false, ...options }: KeyOptions) => {
      if (callbacks) console.log(await callbackSecret(options))
      else if (write) await rotate(options)
      else console.log(generateKey())
    })

interface KeyOptions extends ConfigOptions {
  readonly write?: boolean
  readonly callbacks?: boolean
}

/** The one in force; where none is configured, that of the key that seals. */
async function callbackSecret(options: ConfigOptions): Promise<string> {
  const config = await configOf(options)
  const [sealing = ''] = config.callbacks.secret === undefined ? await loadKeys(config) : []
  return config.callbacks.secret ?? callbackSecretOf(sealing)
}

async function rotate(options: ConfigOptions): Promise<void> {
  const config = await configOf(options)
  if (config.keys.length > 0) {
    throw new ErrandError(
      'OPTION_INVALID',
      'errand key --write would change nothing: the configuration names its keys itself. ' +
        'Run `errand key`, and put the new key first under `keys`.',
    )
  }
  const count = rotateKeyFile(config)
  console.log(
    `Wrote a new key to ${keyFile(config)}, which holds ${count === 1 ? 'one key' : `${count} keys`} now; the new one seals.`,
  )
  console.log('Restart the servers and workers of this host together: those that do not know the new key refuse what it sealed.')
}
