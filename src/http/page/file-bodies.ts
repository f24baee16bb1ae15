import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { ErrandError } from '../../errors.js'
import { refuseUnknownKeys, show } from '../../core/options.js'
import { appState } from '../../runtime/app.js'
import type { KeptBody, ResponseBodies } from './bodies.js'

export interface FileBodiesOptions {
  /**
   * The folder, made when it is first needed and readable by its owner alone. All servers and workers must see the same one.
   * @defaultValue `bodies` in the configured `dataDir`, beside the embedded queue
   */
  readonly folder?: string | undefined
}

/** Where nothing is configured: that of the configuration's own default. */
const DATA_DIR = '.errand'

/** The end of its life in milliseconds, and 128 random bits. */
const ID = /^(\d{13,15})-[0-9a-f]{32}$/
const RANDOM_BYTES = 16
const UNFINISHED = '.part'
const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
const SWEEP_MS = 10 * 60_000
/** A body that nobody has written to for so long is nobody's. */
const ABANDONED_MS = 24 * 60 * 60_000

/**
 * Keeps large bodies of responses as files in a folder: on one host beside the embedded queue, on several in one that they share.
 * Expired ones are removed when others are written or read.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * export const bodies = fileBodies({ folder: '/mnt/shared/bodies' })
 */
export function fileBodies(options: FileBodiesOptions = {}): ResponseBodies {
  refuseUnknownKeys('fileBodies()', options, ['folder'])
  const { folder } = options
  if (folder !== undefined && (typeof folder !== 'string' || folder === '')) {
    throw new ErrandError('OPTION_INVALID', `fileBodies() takes the path of a folder as "folder", got ${show(folder)}.`)
  }
  return new FileBodies(folder === undefined ? configuredFolder : () => resolve(folder))
}

/** Known only once errand runs in this process. */
function configuredFolder(): string {
  const state = appState()
  return resolve((state.kind === 'on' ? state.runtime.settings.dataDir : undefined) ?? DATA_DIR, 'bodies')
}

class FileBodies implements ResponseBodies {
  readonly #folderNow: () => string
  #sweptAt = 0

  constructor(folder: () => string) {
    this.#folderNow = folder
  }

  get #folder(): string {
    return this.#folderNow()
  }

  async write(body: AsyncIterable<Uint8Array | string>, { expiresAt }: { readonly expiresAt: number }): Promise<KeptBody> {
    await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE })
    await this.#sweep()
    const id = `${String(Math.ceil(expiresAt)).padStart(13, '0')}-${randomBytes(RANDOM_BYTES).toString('hex')}`
    const path = join(this.#folder, id)
    const part = `${path}${UNFINISHED}`
    try {
      const bytes = await writeAll(part, body)
      await rename(part, path)
      return { id, bytes }
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
  }

  async read(id: string): Promise<ReadableStream<Uint8Array> | undefined> {
    const path = this.#pathOf(id)
    if (path === undefined) return undefined
    await this.#sweep()
    const file = await openIfThere(path)
    // Node types its own web streams apart from those of the language
    return file === undefined ? undefined : (Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array>)
  }

  async remove(id: string): Promise<void> {
    const path = this.#pathOf(id)
    if (path !== undefined) await rm(path, { force: true })
  }

  /** `undefined` for what is no id of ours, and for one that has expired. */
  #pathOf(id: string): string | undefined {
    const expiresAt = ID.exec(id)?.[1]
    return expiresAt === undefined || Number(expiresAt) <= Date.now() ? undefined : join(this.#folder, id)
  }

  /** Never rejects: what cannot be removed now is removed another time, perhaps by somebody else. */
  async #sweep(): Promise<void> {
    const now = Date.now()
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    const names = await readdir(this.#folder).catch(() => [])
    await Promise.all(names.map((name) => removeIfOver(join(this.#folder, name), name, now).catch(() => {})))
  }
}

async function removeIfOver(path: string, name: string, now: number): Promise<void> {
  const isPart = name.endsWith(UNFINISHED)
  const expiresAt = ID.exec(isPart ? name.slice(0, -UNFINISHED.length) : name)?.[1]
  if (expiresAt === undefined) return // not ours
  const isOver = isPart ? (await stat(path)).mtimeMs < now - ABANDONED_MS : Number(expiresAt) <= now
  if (isOver) await rm(path, { force: true })
}

/** Answers how many bytes there were, once they would survive a crash of the machine. */
async function writeAll(path: string, body: AsyncIterable<Uint8Array | string>): Promise<number> {
  const file = await open(path, 'wx', FILE_MODE)
  try {
    let bytes = 0
    for await (const chunk of body) {
      const buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      await file.writeFile(buffer)
      bytes += buffer.byteLength
    }
    await file.sync()
    return bytes
  } finally {
    await file.close()
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Those that hold where an application gives none. Down here, since a class is there only from where it stands. */
export const defaultBodies = fileBodies()
