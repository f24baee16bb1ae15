import { spawn, type ChildProcess } from 'node:child_process'

/** Keeps the last line it was given; runs it when the process that wrote to it is gone, however that ended. */
const SCRIPT = 'todo=:; while IFS= read -r line; do todo=$line; done; eval "$todo"'

/** A shell that outlives this process by a moment and undoes what it left behind, also after an interrupt or a kill. */
export class Guard {
  readonly #shell: ChildProcess

  constructor() {
    this.#shell = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    this.#shell.unref()
    const pipe = this.#shell.stdin
    pipe?.on('error', () => {})
    // without this the open pipe would keep the process alive
    if (pipe !== null && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
  }

  /** What is to be undone from now on, as shell commands; instead of what was to be before. */
  watch(commands: readonly string[]): void {
    this.#shell.stdin?.write(`${commands.join('; ') || ':'}\n`)
  }

  /** There is nothing to undo any more. */
  end(): void {
    this.#shell.stdin?.end(':\n')
  }
}

/** A word of a shell command, whatever stands in it. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
