import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import { loadConfig } from '#config/load.js'
import { emptyFolder, folderWith, setVariables } from './folder.js'
import { failure, load } from './loading.js'

describe('finding the configuration', () => {
  it('looks in the folders above, up to the one of the package', async () => {
    const root = folderWith({ 'async.config.yaml': 'withAsync: true', 'src/deep/a.ts': '' })

    const config = await loadConfig({ cwd: join(root, 'src/deep') })

    expect(config.withAsync).to.equal(true)
    expect(config.baseDir).to.equal(root)
  })

  it('does not look above the package', async () => {
    const root = folderWith({ 'async.config.yaml': 'withAsync: true', 'inner/package.json': '{}' })

    expect((await loadConfig({ cwd: join(root, 'inner') })).withAsync).to.equal(false)
  })

  it('does not pick up a file above a folder that is in no package', async () => {
    const root = emptyFolder()
    writeFileSync(join(root, 'async.config.yaml'), 'withAsync: true')
    mkdirSync(join(root, 'inner'))

    expect((await loadConfig({ cwd: join(root, 'inner') })).withAsync).to.equal(false)
    expect((await loadConfig({ cwd: root })).withAsync).to.equal(true)
  })

  it('reads the named file, with the one of the environment beside it', async () => {
    const files = {
      'etc/jobs.yaml': 'service: one\nretries: 1',
      'etc/jobs.test.yaml': 'retries: 2',
      'async.config.yaml': 'retries: 9',
    }

    const config = await load(files, { file: 'etc/jobs.yaml', env: 'test' })

    expect([config.service, config.retries]).to.deep.equal(['one', 2])
  })

  it('says so when the named file does not exist', async () => {
    const error = await failure(load({}, { file: 'nowhere.yaml' }))

    expect(error.code).to.equal('CONFIG_NOT_FOUND')
    expect(error.message).to.contain('nowhere.yaml').and.contain('errand init')
  })

  it('refuses to overlook a file whose name ends in .yml', async () => {
    const error = await failure(load({ 'async.config.yml': 'withAsync: true' }))

    expect(error.code).to.equal('CONFIG_INVALID')
    expect(error.message).to.contain('async.config.yml is not read')
  })

  it('names the service after the package, its scope included, or after the folder', async () => {
    expect((await load({ 'package.json': '{"name":"@acme/mail er"}' })).service).to.equal('acme-mail-er')
    for (const text of ['{}', '[]', 'no json']) {
      const unnamed = await load({ 'package.json': text })
      expect(unnamed.service).to.equal(basename(unnamed.baseDir))
    }
  })
})

describe('environments', () => {
  const files = {
    'async.config.yaml': 'withAsync: true\nretries: 1\nservices: [a.ts, b.ts]\nworker:\n  processes: 2\n  concurrency: 4\n',
    'async.config.production.yaml': 'retries: 7\nservices: [c.ts]\nworker:\n  concurrency: 50\n',
  }

  it('puts the file of the environment over the general one, key by key', async () => {
    const config = await load(files, { env: 'production' })

    expect(config.withAsync).to.equal(true)
    expect(config.retries).to.equal(7)
    expect(config.services).to.deep.equal(['c.ts'])
    expect([config.worker.processes, config.worker.concurrency]).to.deep.equal([2, 50])
    expect(config.environment).to.equal('production')
  })

  it('takes the environment from the option, ERRAND_ENV, NODE_ENV, in this order', async () => {
    const retries = async (env: string | undefined) => (await load(files, { env })).retries

    setVariables({ ERRAND_ENV: undefined, NODE_ENV: 'production' })
    expect(await retries(undefined)).to.equal(7)
    setVariables({ ERRAND_ENV: 'test' })
    expect(await retries(undefined)).to.equal(1)
    expect(await retries('production')).to.equal(7)
    setVariables({ ERRAND_ENV: undefined, NODE_ENV: undefined })
    expect((await load(files, { env: undefined })).environment).to.equal('development')
  })

  it('reads the file of the environment alone when there is no general one', async () => {
    const config = await load({ 'async.config.test.yaml': 'withAsync: true' }, { env: 'test' })

    expect(config.withAsync).to.equal(true)
    expect(config.file).to.equal(join(config.baseDir, 'async.config.test.yaml'))
  })

  it('finds the same configuration again by the file and environment it reports', async () => {
    const first = await load(files, { env: 'production' })

    const again = await loadConfig({ cwd: emptyFolder(), file: first.file, env: 'production' })

    expect(again).to.deep.equal(first)
  })

  it('lets a broker replace the one below, and keeps settings that fit it', async () => {
    const below = 'broker:\n  url: amqp://localhost\n  confirmTimeout: 3s\n'
    const over = async (text: string) =>
      (await load({ 'async.config.yaml': below, 'async.config.test.yaml': text }, { env: 'test' })).broker

    expect(await over('broker: amqp://elsewhere')).to.deep.include({ urls: ['amqp://elsewhere'], confirmTimeoutMs: 3000 })
    expect(await over('broker: { urls: [amqp://a] }')).to.deep.include({ urls: ['amqp://a'], confirmTimeoutMs: 3000 })
    expect(await over('broker: { heartbeat: 5 }')).to.deep.include({ urls: ['amqp://localhost'], heartbeatSeconds: 5 })
    expect(await over('broker: memory')).to.deep.equal({ kind: 'memory' })
    expect((await over('broker: sqlite')).kind).to.equal('sqlite')
  })

  it('lets key replace keys of the file below', async () => {
    const config = await load({ 'async.config.yaml': 'keys: [a:1, b:2]', 'async.config.test.yaml': 'key: c:3' }, { env: 'test' })

    expect(config.keys).to.deep.equal(['c:3'])
  })

  it('refuses an environment that is no plain name, because it is part of a file name', async () => {
    const error = await failure(load(files, { env: '../../etc' }))

    expect(error.code).to.equal('OPTION_INVALID')
    expect(error.message).not.to.contain('etc')
  })
})
