import { expect } from 'chai'
import { optionsOf, reportPlaceOf, type Options } from '../../bench/options.js'

const namesOf = (all: readonly { readonly name: string }[]): readonly string[] => all.map(({ name }) => name)

/** What the bench says of arguments that it cannot understand. */
function refusalOf(...args: readonly string[]): string | undefined {
  try {
    optionsOf(args)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const withoutPeers = (): Options => optionsOf([])

describe('The options of the bench', () => {
  it('measure the limits and Errand where nothing is said, without other systems and long figures', () => {
    const { systems, figures, rounds, isSaved } = withoutPeers()

    expect(namesOf(systems)).to.include.members(['raw-rabbitmq', 'errand-rabbitmq', 'errand-sqlite']).and.not.to.include('bullmq')
    expect(namesOf(figures)).to.include.members(['dispatch', 'idle']).and.not.to.include('queued')
    expect({ rounds, isSaved }).to.deep.equal({ rounds: 5, isSaved: false })
  })

  it('have a row for each thing that can be switched: no states, states elsewhere, everything encrypted', () => {
    const names = namesOf(withoutPeers().systems)

    for (const broker of ['rabbitmq', 'sqlite']) expect(names).to.include.members([`errand-${broker}-untracked`, `errand-${broker}-encrypted`])
    expect(names).to.include('errand-rabbitmq-postgres')
  })

  it('measure other systems too with --peers, every one', () => {
    const names = namesOf(optionsOf(['--peers']).systems)

    expect(names).to.include.members([...namesOf(withoutPeers().systems), 'bullmq', 'sidequest', 'celery-node', 'celery-node-rabbitmq'])
  })

  it('keep a report by what it is of: long figures and other systems stand in files of their own', () => {
    const fileOf = (...args: readonly string[]): string => reportPlaceOf(optionsOf(args)).file

    expect(fileOf()).to.equal('RESULTS.md')
    expect(fileOf('--figures', 'idle,queued')).to.equal('RESULTS.md')
    expect(fileOf('--figures', 'queued,backlog')).to.equal('RESULTS-GROWTH.md')
    expect(fileOf('--peers', '--figures', 'queued')).to.equal('RESULTS-PEERS.md')
  })

  it('take systems in the order in which they are named, and figures in that of the report, long ones too', () => {
    const { systems, figures } = optionsOf(['--systems', 'raw-sqlite, bullmq', '--figures', 'queued,idle'])

    expect(namesOf(systems)).to.deep.equal(['raw-sqlite', 'bullmq'])
    expect(namesOf(figures)).to.deep.equal(['idle', 'queued'])
  })

  it('refuse a name that there is not, and say which there are', () => {
    expect(refusalOf('--figures', 'idle,speed')).to.match(/^There is no figure "speed"; there are dispatch, end-to-end, .+, queued\.$/)
    expect(refusalOf('--systems', 'errand')).to.match(/^There is no system "errand"; there are raw-rabbitmq, .+\.$/)
    expect(refusalOf('--figures', '')).to.match(/^There is no figure ""/)
  })

  it('refuse a name that stands there twice', () => {
    expect(refusalOf('--systems', 'raw-sqlite,raw-sqlite')).to.equal('--systems names "raw-sqlite" twice.')
    expect(refusalOf('--figures', 'idle,idle')).to.equal('--figures names "idle" twice.')
  })

  it('refuse numbers with which nothing would be measured', () => {
    for (const option of ['rounds', 'count', 'calls', 'backlog']) {
      for (const text of ['0', '-1', '1.5', 'many', '', '1e400']) {
        expect(refusalOf(`--${option}=${text}`)).to.equal(`--${option} must be a whole number from 1 up, got "${text}".`)
      }
    }
  })

  it('take seconds of patience from none up, also parts of one', () => {
    expect(optionsOf(['--patience', '0']).patienceMs).to.equal(0)
    expect(optionsOf(['--patience', '0.5']).patienceMs).to.equal(500)
    expect(refusalOf('--patience=-1')).to.equal('--patience must be seconds from 0 up, got "-1".')
    expect(refusalOf('--patience', 'long')).to.equal('--patience must be seconds from 0 up, got "long".')
  })

  it('refuse options and words that mean nothing', () => {
    expect(refusalOf('--fast')).to.include('--fast')
    expect(refusalOf('idle')).to.include('idle')
  })
})
