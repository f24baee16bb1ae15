// Stands in for a mail provider: a file. The workers of the examples deliver to it, and their tours look what came.
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export interface Letter {
  readonly to: string
  readonly text: string
  /** The process that delivered it. */
  readonly pid: number
}

const PATIENCE_MS = 30_000

/** A folder for one tour; workers find the postbox in it through the environment. */
export async function openTour(name: string): Promise<{ readonly dataDir: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), `errand-${name}-`))
  process.env['POSTBOX'] = join(folder, 'postbox.jsonl')
  return { dataDir: join(folder, 'data'), close: () => rm(folder, { recursive: true, force: true }) }
}

export async function deliver(to: string, text: string): Promise<void> {
  const letter: Letter = { to, text, pid: process.pid }
  await appendFile(postbox(), `${JSON.stringify(letter)}\n`)
}

/** Resolves with all letters as soon as there are `count`. */
export async function delivered(count: number): Promise<readonly Letter[]> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const text = await readFile(postbox(), 'utf8').catch(() => '')
    const letters = text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Letter) // written by deliver()
    if (letters.length >= count) return letters
    if (Date.now() > deadline) throw new Error(`Only ${letters.length} of ${count} letters came.`)
    await pause(20)
  }
}

function postbox(): string {
  const file = process.env['POSTBOX']
  if (file === undefined) throw new Error('Set POSTBOX to the file of the postbox.')
  return file
}
