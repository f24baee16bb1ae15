import { expect } from 'chai'
import {
  background,
  checkStatusOrBegin,
  getKeyFromTaskId,
  getOrRun,
  getProcessResult,
  getProcessStatus,
  getTaskIdFromKey,
  processIsComplete,
  processIsPending,
  processIsRunning,
  processIsRunningOrComplete,
  type CheckedProcess,
  type CheckOptions,
  type ProcessChoice,
} from 'errand'
import type { StatesApp } from '../kit/states-app.js'
import type { Scope } from '../kit/temporary.js'
import { codeOf } from './store-case.js'
import * as work from '../fixtures/states/tasks.js'

export type KeyCase = (app: StatesApp, scope: Scope) => Promise<void>
export type KeyCases = Readonly<Record<string, KeyCase>>

const begin = (app: StatesApp, options: CheckOptions<[string, string]> = {}): Promise<CheckedProcess> =>
  checkStatusOrBegin(work.counted, { args: [app.file, app.gate], ...options })

const PROCESSING = 'This is being processed already.'
const STARTING = 'The processing has started.'

/** pending, running, complete, running or complete */
const asked = async (which: ProcessChoice): Promise<readonly boolean[]> =>
  Promise.all([processIsPending(which), processIsRunning(which), processIsComplete(which), processIsRunningOrComplete(which)])

export const processCases: KeyCases = {
  'begins by checkStatusOrBegin, which answers a text and the id (item 84)': async (app) => {
    const begun = await begin(app, { key: 'k' })
    expect(begun).to.include({ text: STARTING, isNew: true })
    expect(await getTaskIdFromKey('k')).to.equal(begun.taskId)
  },

  'is always started where neither key nor id is given (item 85)': async (app) => {
    const [one, other] = [await begin(app), await begin(app)]
    expect(one.taskId).not.to.equal(other.taskId)
    expect([one.text, other.text]).to.deep.equal([STARTING, STARTING])
  },

  'is not started again while it runs, by its key or its id (item 86)': async (app) => {
    await app.worker()
    const { taskId } = await begin(app, { key: 'k' })
    await app.reached(taskId, 'running')

    const again = { text: PROCESSING, taskId, isNew: false }
    expect(await begin(app, { key: 'k' })).to.deep.equal(again)
    expect(await begin(app, { taskId })).to.deep.equal(again)
    expect(await begin(app, { taskId, key: 'another' })).to.deep.equal(again)
    expect(await begin(app, { key: 'k', checkQueued: false })).to.deep.equal(again)
  },

  'is not started again while it is queued, unless the old rule is asked for (item 87)': async (app) => {
    const { taskId } = await begin(app, { key: 'k' })
    expect(await begin(app, { key: 'k' })).to.include({ text: PROCESSING, taskId })
    const second = await begin(app, { key: 'k', checkQueued: false })
    expect(second.isNew).to.equal(true)
    expect(await getTaskIdFromKey('k')).to.equal(second.taskId)
  },

  'is started again after it completed, and its key stands for the new one (item 88)': async (app) => {
    app.open()
    await app.worker()
    const first = await begin(app, { key: 'k' })
    await app.reached(first.taskId, 'completed')

    const second = await begin(app, { key: 'k' })

    expect(second).to.include({ text: STARTING, isNew: true })
    expect(await getTaskIdFromKey('k')).to.equal(second.taskId).and.not.to.equal(first.taskId)
  },

  'is started in any case with checkRunning: false (item 89)': async (app) => {
    const first = await begin(app, { key: 'k' })
    const second = await begin(app, { key: 'k', checkRunning: false })
    expect(second.isNew).to.equal(true)
    expect(second.taskId).not.to.equal(first.taskId)
    expect(await getTaskIdFromKey('k')).to.equal(second.taskId)
  },

  'is found by no key with cacheResults: false (item 90)': async (app) => {
    const { taskId } = await begin(app, { key: 'k', cacheResults: false })
    expect(await getTaskIdFromKey('k')).to.equal(undefined)
    expect(await codeOf(getKeyFromTaskId(taskId))).to.equal('TASK_NOT_FOUND')

    const kept = await begin(app, { key: 'k' })
    expect(await begin(app, { key: 'k', cacheResults: false })).to.include({ text: PROCESSING, taskId: kept.taskId })
  },

  'is found by its key, and its key by its id (item 92)': async (app) => {
    const { taskId } = await begin(app, { key: 'https://app.example/reports/2026?à' })
    expect(await getTaskIdFromKey('https://app.example/reports/2026?à')).to.equal(taskId)
    expect(await getKeyFromTaskId(taskId)).to.equal('https://app.example/reports/2026?à')
    expect(await getTaskIdFromKey('another')).to.equal(undefined)
    expect(await codeOf(getKeyFromTaskId('another'))).to.equal('TASK_NOT_FOUND')
  },

  'tells by key and by id whether it waits, runs or is complete, and its result (item 93)': async (app) => {
    const { taskId } = await begin(app, { key: 'k' })
    expect(await asked({ key: 'k' })).to.deep.equal([true, false, false, false])
    expect(await getProcessResult({ key: 'k' })).to.equal(undefined)
    await app.worker()
    await app.reached(taskId, 'running')
    expect(await asked({ key: 'k' })).to.deep.equal([false, true, false, true])
    expect(await getProcessResult({ taskId })).to.equal(undefined)
    app.open()
    await app.reached(taskId, 'completed')
    expect(await asked({ taskId })).to.deep.equal([false, false, true, true])
    expect([await getProcessResult({ key: 'k' }), await getProcessResult({ taskId })]).to.deep.equal([1, 1])
    const failed = await background(work, { key: 'f' }).fail()
    await app.reached(failed.id, 'failed')
    expect(await codeOf(getProcessResult({ key: 'f' }))).to.equal('OUT_OF_STOCK')
  },

  'is that of the id where key and id are given, and an error where neither is (item 93)': async (app) => {
    const { taskId } = await begin(app, { key: 'k' })
    expect(await getProcessStatus({ taskId, key: 'another' })).to.equal('queued')
    expect(await getProcessStatus({ taskId: 'another', key: 'k' })).to.equal('unknown')
    const all = [processIsRunning, processIsPending, processIsComplete, processIsRunningOrComplete, getProcessStatus, getProcessResult]
    for (const ask of all) expect(await codeOf(ask({})), ask.name).to.equal('CALL_INVALID')
  },

  'is started, told of and answered from what is kept by getOrRun (item 94)': async (app) => {
    await app.worker()
    const ask = () => getOrRun((file: string) => work.counted(file, app.gate), { args: [app.file], key: 'k' })
    const { kind, taskId } = await ask()
    expect(kind).to.equal('started')
    await app.reached(taskId, 'running')
    expect(await ask()).to.deep.equal({ kind: 'running', taskId, state: 'running' })
    app.open()
    await app.reached(taskId, 'completed')
    expect(await ask()).to.deep.equal({ kind: 'completed', taskId, value: 1 })
    expect(app.lines()).to.deep.equal(['ran'])
  },

  'is spoken of in words of the application (item 95)': async (app) => {
    const texts = { processing: (id: string) => `<p>${id} läuft</p>`, starting: 'Los!' }
    const { text, taskId } = await begin(app, { key: 'k', texts })
    expect(text).to.equal('Los!')
    expect((await begin(app, { key: 'k', texts })).text).to.equal(`<p>${taskId} läuft</p>`)
  },

  'is told apart from a key without a task, which is not started (item 96)': async (app) => {
    expect(await getProcessStatus({ key: 'k' })).to.equal('not started')
    expect(await asked({ key: 'k' })).to.deep.equal([false, false, false, false])
    expect(await getProcessResult({ key: 'k' })).to.equal(undefined)
    await begin(app, { key: 'k' })
    expect(await getProcessStatus({ key: 'k' })).to.equal('queued')
  },
}
