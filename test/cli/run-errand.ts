import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scope } from '../kit/temporary.js'

const MAIN = fileURLToPath(import.meta.resolve('#src/cli/main.js'))

/** A program that runs, with what it has written so far. */
export interface Program {
  readonly child: ChildProcess
  readonly output: () => string
  readonly errors: () => string
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>
}

/** Starts `errand <args>` in `cwd`; it is killed at the end of the test if it still runs. */
export function startErrand(scope: Scope, cwd: string, ...args: readonly string[]): Program {
  return startProgram(scope, cwd, [MAIN, ...args])
}

/** Runs `errand <args>` in `cwd` to its end. */
export async function errand(
  scope: Scope,
  cwd: string,
  ...args: readonly string[]
): Promise<{ code: number | null; output: string; errors: string }> {
  const program = startErrand(scope, cwd, ...args)
  const code = await program.ended
  return { code, output: program.output(), errors: program.errors() }
}

/** Starts a module with Node in `cwd`. */
export function startProgram(scope: Scope, cwd: string, args: readonly string[]): Program {
  const { ERRAND_ENV: _errandEnv, NODE_ENV: _nodeEnv, ...env } = process.env
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { output: '', errors: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.errors += text))
  const ended = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null))
  scope.defer(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, output: () => texts.output, errors: () => texts.errors, ended }
}

/** The folder of the test as an application: a package.json and, when given, a configuration. */
export function application(scope: Scope, yaml?: string): string {
  const cwd = scope.folder()
  writeFileSync(join(cwd, 'package.json'), '{"name":"shop","type":"module"}')
  if (yaml !== undefined) writeFileSync(join(cwd, 'async.config.yaml'), yaml)
  return cwd
}
