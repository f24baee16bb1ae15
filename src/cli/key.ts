import { Command } from 'commander'
import { keyFile, rotateKeyFile } from '../../config/keys.js'
import { generateKey } from '../core/seal/key-ring.js'
import { ErrandError } from '../errors.js'
import type { ConfigOptions } from './config-options.js'
import { configOf, takingConfig } from './config-options.js'

/** `errand key` */
export const keyCommand = (): Command =>
  takingConfig(new Command('key'))
    .description('print a new sealing key')
    .option('--write', 'put it in front of the keys in the key file of this host; the old ones stay to open what they sealed')
    .action(async ({ write = false, ...options }: ConfigOptions & { readonly write?: boolean }) => {
      if (write) await rotate(options)
      else console.log(generateKey())
    })

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
