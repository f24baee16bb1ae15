import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { isGone, thisOwner, type OwnerRow } from '#src/broker/sqlite/owner.js'

describe('who is gone', () => {
  const self = thisOwner()
  const row = (more: Partial<OwnerRow> = {}): OwnerRow => ({ ...self, number: 1, lease: 0, ...more })

  it('a living process of this machine is there, however old its lease', () => {
    expect(isGone(row(), self, Date.now())).to.equal(false)
  })

  it('a process that has ended is gone, however young its lease', async () => {
    const child = spawn(process.execPath, ['-e', ''])
    const { pid = 0 } = child
    await once(child, 'exit')

    expect(isGone(row({ pid, lease: Infinity }), self, Date.now())).to.equal(true)
  })

  it('another process under the pid of one that ended is not mistaken for it', function () {
    if (self.started === '') this.skip()
    expect(isGone(row({ started: `${self.started}0`, lease: Infinity }), self, Date.now())).to.equal(true)
  })

  it('a process of another machine or container is there until its lease ends', () => {
    const elsewhere = row({ host: 'elsewhere/pid:[1]', pid: 2 ** 22 + 1, lease: 1_000 })

    expect(isGone(elsewhere, self, 999)).to.equal(false)
    expect(isGone(elsewhere, self, 1_001)).to.equal(true)
  })

  it('where the start time of a process cannot be told, an old lease decides', () => {
    const doubtful = row({ started: '', lease: 60_000 })

    expect(isGone(doubtful, self, 120_000)).to.equal(false)
    expect(isGone(doubtful, self, 1_000_000)).to.equal(true)
  })
})
