import { expect } from 'chai'
import { loadConfig } from '#config/load.js'
import { maskConfig, maskUrl } from '#config/secrets.js'
import { folderWith, setVariables } from './folder.js'

describe('a URL in a log', () => {
  it('has no password and no query, and what is no URL is hidden whole', () => {
    expect(maskUrl('amqp://app:hunter2@rabbit.example:5672/shop?password=hunter2')).to.equal(
      'amqp://app:***@rabbit.example:5672/shop?***',
    )
    expect(maskUrl('amqp://app:p%40ss@h')).to.equal('amqp://app:***@h')
    expect(maskUrl('amqp://:hunter2@h')).to.equal('amqp://:***@h')
    expect(maskUrl('amqps://rabbit.example/shop')).to.equal('amqps://rabbit.example/shop')
    expect(maskUrl('hunter2 is no url')).to.equal('***')
  })
})

describe('a configuration in a log', () => {
  it('hides keys, passwords and passphrases, and shows the rest', async () => {
    const config = await loadConfig({
      cwd: folderWith({}),
      overrides: {
        keys: ['k2:hunter2', 'hunter2'],
        broker: { urls: ['amqps://app:hunter2@a', 'amqps://b'], tls: { ca: 'ca.pem', passphrase: 'hunter2' } },
        store: 'postgres://app:hunter2@db.example/shop?password=hunter2',
        database: 'postgres://app:hunter2@db.example/shop?password=hunter2',
        callbacks: { secret: `whsec_${Buffer.alloc(24, 'hunter2').toString('base64')}` },
        retries: 4,
      },
    })

    const masked = maskConfig(config)

    expect(JSON.stringify(masked)).not.to.contain('hunter2').and.not.to.contain('whsec_')
    expect(masked['callbacks']).to.deep.include({ hosts: [], secret: '***' })
    expect(masked).to.deep.include({ keys: ['k2:***', '***'], retries: 4, service: 'shop' })
    expect(masked['database']).to.equal('postgres://app:***@db.example/shop?***')
    expect(masked['broker']).to.deep.include({ urls: ['amqps://app:***@a', 'amqps://b'] })
    expect(masked['store']).to.deep.equal({ kind: 'postgres', url: 'postgres://app:***@db.example/shop?***' })
    expect(config.keys).to.deep.equal(['k2:hunter2', 'hunter2'])
  })

  it('shows the names of environment variables in place of their values', async () => {
    setVariables({ TENANT: 'secret-tenant', SHORT: 'ab', FALLBACK: undefined })
    const yaml = 'container: ./${TENANT}/c.ts\ndataDir: ${TENANT}\nerrorReporter: ${SHORT}\ncarriers: [cab, "${FALLBACK:-x}"]'

    const masked = maskConfig(await loadConfig({ cwd: folderWith({ 'async.config.yaml': yaml }) }))

    expect(JSON.stringify(masked)).not.to.contain('secret-tenant')
    expect(masked).to.deep.include({ container: './${TENANT}/c.ts', errorReporter: '${SHORT}', carriers: ['cab', 'x'] })
  })
})
