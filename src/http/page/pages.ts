import { html, Html, type HtmlPart } from './html.js'
import type { PageFacts, PageKind } from './facts.js'
import { STYLE } from './style.js'
import type { PageTexts } from './texts/page-texts.js'

/** What a page says, and how it looks, by what it is about. */
interface Look {
  readonly title: keyof PageTexts
  readonly text: keyof PageTexts
  /** Drawn with lines, on 24 by 24. */
  readonly mark: Html
  /** The colour of the mark. @defaultValue that of what one can do */
  readonly tone?: 'trouble' | 'quiet'
  /** What one can do there: a link with that text leads to the first page. */
  readonly action: 'start' | 'cancel' | 'startAgain' | 'back'
}

const CIRCLE = html`<circle cx="12" cy="12" r="9.25"/>`
const MARKS = {
  start: html`${CIRCLE}<path d="M10 8.5l5.5 3.5-5.5 3.5z"/>`,
  clock: html`${CIRCLE}<path d="M12 7v5l3.25 2"/>`,
  done: html`${CIRCLE}<path d="M8 12.25l2.75 2.75L16 9.5"/>`,
  trouble: html`${CIRCLE}<path d="M12 7.5v5.25M12 16.25v.01"/>`,
  ended: html`${CIRCLE}<path d="M8.25 12h7.5"/>`,
  unknown: html`${CIRCLE}<path d="M9.5 9.75a2.5 2.5 0 1 1 3.6 2.25c-.7.35-1.1.85-1.1 1.6M12 16.5v.01"/>`,
}

const LOOKS: Readonly<Record<PageKind, Look>> = {
  initial: { title: 'initialTitle', text: 'initialText', mark: MARKS.start, action: 'start' },
  processing: { title: 'processingTitle', text: 'processingText', mark: MARKS.clock, action: 'cancel' },
  completed: { title: 'completedTitle', text: 'completedText', mark: MARKS.done, action: 'back' },
  failed: { title: 'failedTitle', text: 'failedText', mark: MARKS.trouble, tone: 'trouble', action: 'startAgain' },
  cancelled: { title: 'cancelledTitle', text: 'cancelledText', mark: MARKS.ended, tone: 'quiet', action: 'startAgain' },
  unknown: { title: 'unknownTitle', text: 'unknownText', mark: MARKS.unknown, tone: 'quiet', action: 'back' },
  unavailable: { title: 'unavailableTitle', text: 'unavailableText', mark: MARKS.trouble, tone: 'trouble', action: 'startAgain' },
  refused: { title: 'refusedTitle', text: 'refusedText', mark: MARKS.trouble, tone: 'trouble', action: 'back' },
  busy: { title: 'busyTitle', text: 'busyText', mark: MARKS.clock, tone: 'trouble', action: 'back' },
}

/** The built-in page of its kind. */
export function builtInPage(page: PageFacts): Html {
  const { title, text, mark, tone = '' } = LOOKS[page.kind]
  const heading = page.texts[title]
  const isRunning = page.kind === 'processing'
  // of nothing else does the page tell anything new, so its heading is where reading begins
  const start = isRunning || page.kind === 'initial' ? html`<h1>${heading}</h1>` : html`<h1 tabindex="-1" autofocus>${heading}</h1>`
  return html`<!doctype html>
<html lang="${page.locale}"${isRightToLeft(page.locale) ? html` dir="rtl"` : undefined}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${titleOf(page, heading)}</title>
<link rel="icon" href="data:,">
<style nonce="${page.nonce}">${new Html(STYLE)}</style>
${isRunning ? page.parts.refresh : undefined}
</head>
<body>
<main>
<svg class="mark ${tone}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${mark}</svg>
${start}
<p class="lead">${page.texts[text]}</p>
${isRunning ? page.parts.progress : undefined}
${actionsOf(page)}
</main>
${isRunning ? page.parts.script : undefined}
</body>
</html>
`
}

function titleOf({ kind, percent, locale }: PageFacts, heading: string): string {
  return kind === 'processing' && percent !== undefined ? `${percentText(percent, locale)} · ${heading}` : heading
}

function actionsOf({ kind, links, texts, parts }: PageFacts): HtmlPart {
  const { action } = LOOKS[kind]
  if (action === 'cancel') return html`<div class="actions">${parts.cancel}</div>`
  if (action === 'start') return html`<div class="actions"><form method="post" action="${links.view}"><button class="button">${texts.start}</button></form></div>`
  return html`<div class="actions"><a class="button" href="${links.view}">${texts[action]}</a></div>`
}

/** Languages that an application may add. */
const isRightToLeft = (locale: string): boolean => /^(?:ar|dv|fa|he|ks|ku|ps|sd|ug|ur|yi)(?:-|$)/.test(locale)

/** Percent as the language writes it, as the script does too. */
export function percentText(percent: number, locale: string): string {
  const format = { style: 'percent', maximumFractionDigits: 1 } as const
  try {
    return new Intl.NumberFormat(locale, format).format(percent / 100)
  } catch {
    return new Intl.NumberFormat('en', format).format(percent / 100) // a language of the application's own may be called as none is
  }
}
