import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach } from 'mocha'

const made: string[] = []

afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A temporary folder with these files, a package.json among them unless one is given; gone after the test. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const root = emptyFolder()
  for (const [name, text] of Object.entries({ 'package.json': '{"name":"shop"}', ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

/** A temporary folder without anything in it; gone after the test. */
export function emptyFolder(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'errand-config-')))
  made.push(root)
  return root
}

/** Sets environment variables (`undefined` removes one) and puts back what was there after the test. */
export function setVariables(values: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!before.has(name)) before.set(name, process.env[name])
    putVariable(name, value)
  }
}

const before = new Map<string, string | undefined>()

afterEach(() => {
  for (const [name, value] of before) putVariable(name, value)
  before.clear()
})

function putVariable(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name)
  else process.env[name] = value
}
