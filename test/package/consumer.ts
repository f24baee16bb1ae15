import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** What a command printed, and how it ended. */
export interface Ended {
  readonly status: number | null
  readonly said: string
}

/** Somebody else's project: an empty folder into which the packed library was installed as from the registry. */
export class Consumer {
  readonly folder: string
  readonly tarball: string

  private constructor(folder: string, tarball: string) {
    this.folder = folder
    this.tarball = tarball
  }

  /** Packs what `npm publish` would send, and installs it with its dependencies, without any optional peer. */
  static create(): Consumer {
    const folder = mkdtempSync(join(tmpdir(), 'errand-consumer-'))
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
    npm(process.cwd(), ['pack', ...quiet, '--pack-destination', folder])
    const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'missing.tgz')
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
    npm(folder, ['install', ...quiet, '--prefer-offline', tarball])
    return new Consumer(folder, tarball)
  }

  /** Writes a file into the project and runs it with this Node. */
  run(name: string, source: string): Ended {
    this.write(name, source)
    return this.node([name])
  }

  node(args: readonly string[]): Ended {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: this.folder,
      encoding: 'utf8',
      env: cleanEnvironment(),
    })
    return { status, said: stdout + stderr }
  }

  /** Compiles `files` with this project's compiler; JavaScript lands beside them. */
  compile(files: readonly string[], compilerOptions: object): Ended {
    const folder = join(this.folder, dirname(files[0] ?? '.'))
    const types = {
      types: ['node'],
      typeRoots: [resolve('node_modules', '@types')],
      target: 'es2022',
      strict: true,
      skipLibCheck: true,
    }
    const options = { ...types, rootDir: '.', lib: ['es2023', 'esnext.decorators', 'esnext.disposable'], ...compilerOptions }
    const include = files.map((file) => file.slice(dirname(file).length + 1))
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include }))
    return this.node([resolve('node_modules', 'typescript', 'bin', 'tsc'), '-p', folder, '--pretty', 'false'])
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true })
    writeFileSync(join(this.folder, name), text)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Runs npm as it came with this Node. @throws what npm said, when it failed */
function npm(cwd: string, args: readonly string[]): void {
  const cli = process.env['npm_execpath']
  const [command, first] = cli?.endsWith('.js') === true ? [process.execPath, [cli]] : ['npm', []]
  execFileSync(command, [...first, ...args], { cwd, stdio: 'pipe', encoding: 'utf8', env: cleanEnvironment() })
}

/** Without what npm and mocha left for their own children: the project is somebody else's. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const isOurs = (name: string): boolean => /^(?:npm_(?:package|lifecycle|config_local)|MOCHA|NODE_OPTIONS$|ERRAND_)/.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)))
}
