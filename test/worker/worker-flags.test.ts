import { expect } from 'chai'
import { workerFlags } from '#worker/supervisor/child-process.js'

describe('The node flags of a worker', () => {
  it('are those of its server: loaders and settings', () => {
    const flags = ['--require', '/x/preflight.cjs', '--import', 'file:///x/loader.mjs', '-r', './a.cjs', '--max-old-space-size=300', '--enable-source-maps']

    expect(workerFlags(flags)).to.deep.equal(flags)
  })

  it('leave out debugger ports, watchers, test runners and code from the command line', () => {
    const flags = ['--inspect', '--inspect-brk=9230', '--inspect-port', '9231', '--watch', '--watch-path', './src', '--watch-path=./lib']
    const more = ['--test', '--test-reporter', 'spec', '-e', 'start()', '-p', '1', '--eval=1', '-i', '--input-type=module', '--import', 'tsx']

    expect(workerFlags([...flags, ...more])).to.deep.equal(['--import', 'tsx'])
  })
})
