import { expect } from 'chai'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ErrandError } from '#src/errors.js'
import { findDriver } from '#src/sqlite/driver.js'
import { isSafeVersion } from '#src/sqlite/open.js'
import { eachScope, type Scope } from '../kit/temporary.js'

/** A project in which better-sqlite3 has this version, and its code is `code`. */
function projectWith(scope: Scope, version: string, code: string): string {
  const folder = scope.file('node_modules/better-sqlite3')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'better-sqlite3', version, main: 'index.js' }))
  writeFileSync(join(folder, 'index.js'), code)
  return scope.file('app.js')
}

const CRASH = 'process.abort()'
const FAKE = 'module.exports = class { constructor(file) { this.file = file } }'

function failure(action: () => unknown): ErrandError {
  try {
    action()
  } catch (error) {
    if (error instanceof ErrandError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('the choice of the SQLite library', () => {
  const scope = eachScope()

  it('a build that takes old Nodes down is refused without being loaded', () => {
    const from = projectWith(scope(), '13.2.0', CRASH)

    const error = failure(() => findDriver({ nodeVersion: '20.19.0', builtin: undefined, from }))

    expect(error.code).to.equal('DRIVER_UNSUPPORTED')
    expect(error.message).to.contain('13.2.0').and.contain('npm install better-sqlite3@12')
  })

  it('the same build is taken on Node 22, and version 12 on Node 20', () => {
    const from = projectWith(scope(), '13.2.0', FAKE)
    expect(findDriver({ nodeVersion: '22.1.0', builtin: undefined, from })('x')).to.include({ file: 'x' })

    projectWith(scope(), '12.11.1', FAKE)
    expect(findDriver({ nodeVersion: '20.19.0', builtin: undefined, from })('x')).to.include({ file: 'x' })
  })

  it('a version that is too old is refused', () => {
    const from = projectWith(scope(), '11.0.0', CRASH)

    expect(failure(() => findDriver({ nodeVersion: '20.19.0', builtin: undefined, from })).code).to.equal('DRIVER_UNSUPPORTED')
  })

  it('a missing package is an error that names the command to install it', () => {
    const error = failure(() => findDriver({ nodeVersion: '20.19.0', builtin: undefined, from: scope().file('app.js') }))

    expect(error.code).to.equal('PACKAGE_MISSING')
    expect(error.message).to.contain('npm install better-sqlite3@12')
  })

  it("Node's own library is preferred where there is one", () => {
    const builtin = { DatabaseSync: class { isBuiltin = true } }
    const from = projectWith(scope(), '12.11.1', CRASH)

    expect(findDriver({ nodeVersion: '24.0.0', builtin, from })('x')).to.include({ isBuiltin: true })
  })

  it('releases of SQLite that can corrupt a shared file are told from repaired ones', () => {
    const repaired = (version: string): boolean => isSafeVersion(version)
    const good = ['3.44.6', '3.50.7', '3.51.3', '3.53.4', '4.0.0']
    expect(good.filter(repaired)).to.deep.equal(good)
    expect(['3.44.5', '3.45.1', '3.50.6', '3.51.2', '3.7.0', '0'].filter(repaired)).to.deep.equal([])
  })
})
