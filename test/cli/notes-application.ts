import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { application, errand, startProgram, type Program } from './run-errand.js'

const fixture = (name: string): string => fileURLToPath(new URL(`fixture/${name}`, import.meta.url))

/** An application whose tasks append a line with their process id to a file. */
export interface NotesApplication {
  readonly cwd: string
  /** Sends the task that writes `text`, or the one that never yields after that. */
  readonly send: (text: string, task?: 'write' | 'spin') => Promise<void>
  /** The line that begins with `text`, once it is there. */
  readonly lineOf: (text: string) => Promise<string>
  /** The process that wrote that line. */
  readonly writerOf: (text: string) => Promise<number>
  /** A server with a worker of its own. */
  readonly serve: () => Program
  readonly status: () => Promise<string>
}

export function notesApplication(scope: Scope, yaml = '', by: 'services' | 'container' = 'services'): NotesApplication {
  const source = by === 'services' ? `services: [${fixture('notes.js')}]` : 'container: ./container.js'
  const cwd = application(scope, `withAsync: true\n${source}\n${yaml}\n`)
  const container = `import { notes } from ${JSON.stringify(fixture('notes.js'))}\nexport default { resolve: () => notes }\n`
  if (by === 'container') writeFileSync(join(cwd, 'container.js'), container)
  const file = scope.file('notes.txt')
  const lineOf = (text: string): Promise<string> =>
    until(`the note "${text}"`, () =>
      (existsSync(file) ? readFileSync(file, 'utf8') : '').split('\n').find((line) => line.startsWith(`${text} by`)),
    )
  return {
    cwd,
    lineOf,
    send: async (text, task = 'write') => {
      const sender = startProgram(scope, cwd, [fixture('send.js'), file, text, task])
      expect(await sender.ended, sender.errors()).to.equal(0)
    },
    writerOf: async (text) => Number((await lineOf(text)).split(' ').at(-1)),
    serve: () => startProgram(scope, cwd, [fixture('serve.js')]),
    status: async () => (await errand(scope, cwd, 'status')).output,
  }
}
