import { Command } from 'commander'
import { statusOf } from '../runtime/tracking/status.js'
import { configOf, takingConfig, type ConfigOptions } from './config-options.js'
import { withStore } from './tasks.js'
import { pageOf } from './tasks-text.js'

/** `errand show` */
export const showCommand = (): Command =>
  takingConfig(new Command('show'))
    .description('tell how one task stands, with all its runs')
    .argument('<id>', 'its id, as `errand tasks` lists it')
    .option('--json', 'as JSON')
    .action(async (id: string, { json = false, ...options }: ConfigOptions & { readonly json?: boolean }) => {
      const record = await withStore(await configOf(options), (store) => store.find({ id }))
      const status = statusOf(id, record)
      console.log(json ? JSON.stringify(status, null, 2) : pageOf(status, Date.now()))
      if (record === undefined) process.exitCode = 1
    })
