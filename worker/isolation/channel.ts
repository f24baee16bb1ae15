import { Worker } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import type { LanePlace } from '../../src/runtime/lanes.js'
import { spawnWorkerProcess } from '../supervisor/child-process.js'
import type { ToLane } from './protocol.js'

/** A thread or process, as the worker sees it. */
export interface Channel {
  /** Nobody hears what is said to one that has ended. */
  say(message: ToLane): void
  onMessage(hear: (message: unknown) => void): void
  /** Ends it, whatever it does. Safe twice. */
  kill(): void
  /** Resolves with why, as the rest of a sentence about it, when it has ended. Never rejects. */
  readonly ended: Promise<string>
}

const MAIN = new URL('./lane-main.js', import.meta.url)

/** Starts a thread or process that waits for words. Neither keeps this process alive. */
export const openChannel = (kind: LanePlace['kind']): Channel => (kind === 'thread' ? openThread() : openProcess())

function openThread(): Channel {
  const thread = new Worker(MAIN)
  thread.unref()
  let why: string | undefined
  const ended = new Promise<string>((resolve) => {
    thread.once('error', (error) => {
      why = error.message
    })
    thread.once('exit', (code) => resolve(why ?? `it ended with code ${code}`))
  })
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    say: (message) => thread.postMessage(message),
    onMessage: (hear) => void thread.on('message', hear),
    kill: () => void thread.terminate(),
    ended,
  }
}

function openProcess(): Channel {
  const child = spawnWorkerProcess(fileURLToPath(MAIN), { serialization: 'advanced' })
  const ended = new Promise<string>((resolve) => {
    // without a process there is no exit
    child.once('error', (error) => child.pid === undefined && resolve(`it could not be started (${error.message})`))
    child.once('exit', (code, signal) => resolve(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`))
  })
  return {
    say: (message) => void (child.connected && child.send(message, () => {})), // one that closes under the message shows by its end
    onMessage: (hear) => void child.on('message', hear),
    kill: () => void child.kill('SIGKILL'),
    ended,
  }
}
