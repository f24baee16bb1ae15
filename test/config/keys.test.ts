import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Config } from '#config/config.js'
import { keyFile, loadKeys, rotateKeyFile } from '#config/keys.js'
import type { ConfigInput } from '#config/load.js'
import { loadConfig } from '#config/load.js'
import { folderWith } from './folder.js'
import { failure } from './loading.js'

const configWith = (overrides: ConfigInput = {}): Promise<Config> => loadConfig({ cwd: folderWith({}), overrides })

describe('the sealing keys', () => {
  it('are those of the configuration when it has some, and no file is made', async () => {
    const config = await configWith({ keys: ['b:2', 'a:1'] })

    expect(await loadKeys(config)).to.deep.equal(['b:2', 'a:1'])
    expect(existsSync(config.dataDir)).to.equal(false)
  })

  it('come from a key file that is made on first use and read ever after', async () => {
    const config = await configWith()

    const first = await loadKeys(config)

    expect(first).to.have.length(1)
    expect(await loadKeys(config)).to.deep.equal(first)
    expect(readdirSync(config.dataDir)).to.deep.equal(['key'])
  })

  it('lie in a file and folder that only their owner can read', async function () {
    if (process.platform === 'win32') this.skip()
    const config = await configWith()

    await loadKeys(config)

    expect(statSync(keyFile(config)).mode & 0o777).to.equal(0o600)
    expect(statSync(config.dataDir).mode & 0o777).to.equal(0o700)
  })

  it('are refused from a file that others can read, with the command that helps', async function () {
    if (process.platform === 'win32') this.skip()
    const config = await configWith()
    await loadKeys(config)
    chmodSync(keyFile(config), 0o640)

    const error = await failure(loadKeys(config))

    expect(error.code).to.equal('KEY_INVALID')
    expect(error.message).to.contain(`chmod 600 ${keyFile(config)}`)
  })

  it('are the same in all processes that start at the same moment', async () => {
    const cwd = folderWith({})
    const script = `
      const { loadConfig } = await import(${JSON.stringify(import.meta.resolve('#config/load.js'))})
      const { loadKeys } = await import(${JSON.stringify(import.meta.resolve('#config/keys.js'))})
      const config = await loadConfig({ cwd: process.argv[1] })
      process.stdout.write('ready\\n')
      process.stdin.once('data', async () => {
        process.stdout.write((await loadKeys(config)).join() + '\\n')
        process.stdin.destroy()
      })`
    const children = Array.from({ length: 6 }, () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, cwd], { stdio: ['pipe', 'pipe', 'inherit'] })
      const output: string[] = []
      child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text))
      return { child, output, ready: once(child.stdout, 'data'), ended: once(child, 'close') }
    })
    await Promise.all(children.map(({ ready }) => ready))

    for (const { child } of children) child.stdin.write('go\n')
    await Promise.all(children.map(({ ended }) => ended))

    const keys = new Set(children.map(({ output }) => output.join('').split('\n')[1]))
    expect(keys.size).to.equal(1)
    expect([...keys][0]).to.match(/^[\w-]+:\S+$/)
  })

  it('are refused when the file is empty or damaged, without showing what is in it', async () => {
    for (const text of ['', '# nothing\n', 'k1:hunter2\n']) {
      const config = await configWith()
      mkdirSync(config.dataDir)
      writeFileSync(keyFile(config), text, { mode: 0o600 })

      const error = await failure(loadKeys(config))

      expect(error.code).to.equal('KEY_INVALID')
      expect(error.message).not.to.contain('hunter2')
    }
  })

  it('must be configured where the broker is on another host', async () => {
    const error = await failure(
      loadKeys(await configWith({ broker: ['amqp://localhost', 'amqp://app:hunter2@rabbit.example/shop'] })),
    )

    expect(error.code).to.equal('KEY_MISSING')
    expect(error.message).to.contain('errand key').and.contain('key: ${ERRAND_KEY}').and.contain('rabbit.example')
    expect(error.message).not.to.contain('hunter2')
  })

  it('may be those of the key file where RabbitMQ runs on this host', async () => {
    for (const url of ['amqp://localhost', 'amqp://guest:guest@127.0.0.1:5672', 'amqp://[::1]', 'amqp://127.1.2.3/v']) {
      expect(await loadKeys(await configWith({ broker: url }))).to.have.length(1)
    }
  })

  it('rotate with the new key first, and the old ones stay', async () => {
    const config = await configWith()
    const [old] = await loadKeys(config)

    expect(rotateKeyFile(config)).to.equal(2)

    const keys = await loadKeys(config)
    expect(keys).to.have.length(2)
    expect(keys[1]).to.equal(old)
    expect(keys[0]).not.to.equal(old)
    expect(readFileSync(join(config.dataDir, 'key'), 'utf8')).to.match(/^# /)
  })
})
