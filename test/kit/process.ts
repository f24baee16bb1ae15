import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Scope } from './temporary.js'
import { until } from './until.js'

export interface ProgramOptions {
  readonly args?: readonly string[]
  /** Flags of node itself. */
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** A process group of its own: it can be sent a signal as a terminal does, and all of it is ended with the test. */
  readonly ownGroup?: boolean
}

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** A program that runs in a process of its own, and what it printed. */
export class Program {
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  #output = ''

  constructor(child: ChildProcess) {
    this.#child = child
    const keep = (chunk: string): void => {
      this.#output += chunk
    }
    child.stdout?.setEncoding('utf8').on('data', keep)
    child.stderr?.setEncoding('utf8').on('data', keep)
    // 'exit', not 'close': what it started may hold the streams for longer
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
  }

  /** @throws Error when it could not be started */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('The program could not be started')
    return this.#child.pid
  }

  /** Everything that it, and what it started, printed so far. */
  get output(): string {
    return this.#output
  }

  get lines(): readonly string[] {
    return this.#output.split('\n')
  }

  /** The first line that matches, as soon as there is one; `nth` counts from 1. */
  async line(pattern: RegExp, nth = 1): Promise<string> {
    try {
      return await until(`line ${nth} with ${pattern}`, () => this.lines.slice(0, -1).filter((line) => pattern.test(line))[nth - 1])
    } catch (cause) {
      throw new Error(`No line ${nth} with ${pattern} in:\n${this.#output}`, { cause })
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}

/** Starts a compiled or written program; it is ended with the test, should it still run then. */
export function startProgram(scope: Scope, file: URL, options: ProgramOptions = {}): Program {
  const { args = [], flags = [], env = {}, cwd, ownGroup = false } = options
  const child = spawn(process.execPath, [...flags, fileURLToPath(file), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached: ownGroup,
    ...(cwd === undefined ? {} : { cwd }),
  })
  const program = new Program(child)
  scope.defer(async () => {
    if (ownGroup) endGroup(program.pid)
    else child.kill('SIGKILL')
    await program.exited
    child.stdout?.destroy()
    child.stderr?.destroy()
  })
  return program
}

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // all of it has ended
  }
}

/** Whether a process of that id runs. One that ended and waits for its parent to fetch its exit code does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc/self/stat') || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Waits until none of the processes runs. */
export async function allGone(pids: readonly number[], patienceMs?: number): Promise<void> {
  await until(`the end of ${pids.join(', ')}`, () => pids.every((pid) => !isAlive(pid)), patienceMs)
}

/** Ends the processes with the test, should they still run then: those that a program started outlive it. */
export function endWithTest(scope: Scope, pids: readonly number[]): void {
  scope.defer(async () => {
    for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL')
    await allGone(pids)
  })
}
