import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Guard, quoted } from '../kit/guard.js'

/** Why this machine makes no disk for one row; `undefined` where it does. */
export function diskRefusal(): string | undefined {
  if (process.platform !== 'linux') return 'file systems of a given size are made on Linux only'
  return process.getuid?.() === 0 ? undefined : 'only root can mount a file system'
}

/** A file system of so many megabytes, in memory. Gone when this process is gone. */
export class SmallDisk implements AsyncDisposable {
  readonly path: string
  readonly #guard = new Guard()

  private constructor(path: string) {
    this.path = path
  }

  /** Mounts one at `path`, with a file on it that can be removed to make room. */
  static make(path: string, size: { readonly mb: number; readonly ballastMb: number }): SmallDisk {
    mkdirSync(path)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size.mb}m`, 'none', path])
    const disk = new SmallDisk(path)
    disk.#guard.watch([`umount -l ${quoted(path)} 2>/dev/null`])
    writeFileSync(join(path, 'ballast'), Buffer.alloc(size.ballastMb * 2 ** 20))
    return disk
  }

  makeRoom(): void {
    rmSync(join(this.path, 'ballast'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    execFileSync('umount', ['-l', this.path])
    this.#guard.end()
  }
}
