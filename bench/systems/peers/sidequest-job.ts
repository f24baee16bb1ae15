import type { Whole } from '../../payload.js'
import { counter } from '../../processes/counter.js'
import { loadPeer } from './load-peer.js'

const { Job } = await loadPeer<{ readonly Job: new () => object }>('sidequest')

/** The job that the worker of sidequest finds in this file by its name. */
export class Deliver extends Job {
  async run({ email, asker }: Whole): Promise<string> {
    return counter.body(email, asker.user.id)
  }
}
