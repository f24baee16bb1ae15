import { setTimeout as pause } from 'node:timers/promises'
import { asyncTask, background, currentTask, on } from 'errand'
import { deliver } from '../../postbox.js'

export class ExportService {
  @asyncTask()
  async everything(): Promise<void> {
    const { signal } = currentTask()
    await background(exports, { delay: '1h' }).page(2) // cancelled with the task that called it
    await deliver('log', 'exporting')
    for (;;) {
      signal.throwIfAborted() // also: fetch(url, { signal }), pause(ms, undefined, { signal })
      await pause(20)
    }
  }

  @asyncTask()
  async page(number: number): Promise<void> {
    await deliver('log', `page ${number}`)
  }
}
export const exports = new ExportService()

on('cancelled', async ({ task }) => deliver('log', `${task} was cancelled`))
