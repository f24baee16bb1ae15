/**
 * The script of the processing page. It is told of news by events; where those do not come, it asks every five seconds, with 15 seconds
 * for each answer. It ends on done, error and unknown, and after an hour of asking. It is plain, so that every browser of today runs it.
 */
export const SCRIPT = `'use strict'
;(() => {
  const POLL_MS = 5000, HIDDEN_POLL_MS = 30000, TIMEOUT_MS = 15000, MOST_POLLS = 720
  const SILENCE_MS = 10000, POLLS_UNTIL_EVENTS = 6, SPEAK_MS = 10000
  const root = document.querySelector('[data-errand]')
  if (root === null) return
  const told = root.dataset
  const part = (name) => root.querySelector('[data-errand-' + name + ']')
  const bar = root.querySelector('progress')
  const message = part('message'), percent = part('percent'), note = part('note'), spoken = part('spoken')
  const title = document.title
  const numbers = new Intl.NumberFormat(document.documentElement.lang || undefined, { style: 'percent', maximumFractionDigits: 1 })
  let source, timer, silence, silent, polls = 0, isOver = false, spokenAt = 0, spokenText = ''

  const write = (element, text) => {
    if (element !== null && element.textContent !== text) element.textContent = text
  }

  // seldom, so that it does not talk without end; but the last word is said, also where none comes after it
  const speak = (text, isUrgent) => {
    clearTimeout(silent)
    if (text === spokenText) return
    const waitMs = isUrgent ? 0 : spokenAt + SPEAK_MS - Date.now()
    if (waitMs > 0) return void (silent = setTimeout(speak, waitMs, text, true))
    spokenAt = Date.now()
    spokenText = text
    write(spoken, text)
  }

  const trouble = (text) => {
    write(note, text)
    if (note !== null) note.hidden = text === ''
    if (text !== '') speak(text, true)
  }

  const hear = () => {
    clearTimeout(silence)
    silence = undefined
  }

  // counted from the first silence: a connection that fails over and over does not begin anew
  const expectNews = () => {
    if (silence === undefined) silence = setTimeout(ask, SILENCE_MS)
  }

  const closeSource = () => {
    hear()
    if (source !== undefined) source.close()
    source = undefined
  }

  const stop = () => {
    isOver = true
    clearTimeout(timer)
    clearTimeout(silent)
    closeSource()
  }

  const leave = (address, text) => {
    stop()
    document.title = text
    speak(text, true)
    write(message, text)
    // time for the last words to be heard
    setTimeout(() => location.replace(address), 400)
  }

  const show = (news) => {
    if (isOver) return
    trouble('')
    if (news.completed === true) {
      if (bar !== null) bar.value = bar.max
      return leave(told.result, news.progress_message)
    }
    // the page itself says what became of it
    if (news.completed === 'ERROR' || news.progress === 'ERROR') return leave(told.processing, news.progress_message)
    const hasPercent = typeof news.progress === 'number'
    if (bar !== null) {
      if (hasPercent) bar.value = news.progress
      else bar.removeAttribute('value')
    }
    const shown = hasPercent ? numbers.format(news.progress / 100) : ''
    write(percent, shown)
    write(message, news.message || (hasPercent && news.state === 'running' ? told.working : news.progress_message))
    document.title = shown === '' ? title : shown + ' · ' + told.title
    speak(news.message ? news.progress_message + '. ' + news.message : news.progress_message, false)
  }

  const later = () => {
    if (!isOver && source === undefined) timer = setTimeout(poll, document.hidden ? HIDDEN_POLL_MS : POLL_MS)
  }

  const poll = async () => {
    clearTimeout(timer)
    if (isOver) return
    if (++polls > MOST_POLLS) {
      stop()
      return trouble(told.stillRunning)
    }
    try {
      const answer = await fetch(told.completed, { headers: { accept: 'application/json' }, cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) })
      if (!answer.ok && answer.status !== 404) throw new Error(String(answer.status))
      show(await answer.json())
    } catch {
      trouble(told.connectionLost)
      return later()
    }
    if (polls % POLLS_UNTIL_EVENTS === 0 && !document.hidden) listen()
    else later()
  }

  const ask = () => {
    closeSource()
    void poll()
  }

  const listen = () => {
    if (isOver) return
    if (!('EventSource' in window)) return ask()
    source = new EventSource(told.events)
    // a proxy that holds events back looks like a connection on which nothing happens
    expectNews()
    source.onmessage = (event) => {
      hear()
      show(JSON.parse(event.data))
    }
    source.onerror = () => {
      if (isOver) return
      if (source.readyState === EventSource.CLOSED) return ask()
      expectNews()
    }
  }

  document.addEventListener('visibilitychange', () => {
    if (isOver) return
    clearTimeout(timer)
    if (!document.hidden) return source ? undefined : listen()
    // who does not look is told less often
    closeSource()
    later()
  })
  addEventListener('pagehide', closeSource)
  addEventListener('pageshow', (event) => event.persisted && !isOver && listen())
  listen()
})()
`
