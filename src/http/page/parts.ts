import type { PageFacts, PageParts } from './facts.js'
import { html } from './html.js'
import { percentText } from './pages.js'

/** How often a page without scripts looks for news. */
const REFRESH_SECONDS = 5

const NOTHING = html``

/** The parts of a page of this process. */
export function partsOf(page: Omit<PageFacts, 'parts'>, isCancellable: boolean): PageParts {
  const { kind, links, nonce } = page
  if (kind !== 'processing') return { refresh: NOTHING, progress: NOTHING, cancel: NOTHING, script: NOTHING }
  return {
    refresh: html`<noscript><meta http-equiv="refresh" content="${REFRESH_SECONDS};url=${links.processing}"></noscript>`,
    progress: progressOf(page),
    cancel: isCancellable ? cancelOf(page) : NOTHING,
    script: html`<script nonce="${nonce}" src="${links.script}" defer></script>`,
  }
}

/** Everything that the script reads or writes is in here. */
function progressOf({ links, texts, locale, percent, message }: Omit<PageFacts, 'parts'>) {
  const value = percent === undefined ? undefined : html` value="${percent}"`
  const shown = percent === undefined ? '' : percentText(percent, locale)
  return html`<div class="indicator" data-errand data-events="${links.events}" data-completed="${links.completed}" data-result="${links.result}" data-processing="${links.processing}" data-title="${texts.processingTitle}" data-working="${texts.working}" data-connection-lost="${texts.connectionLost}" data-still-running="${texts.stillRunning}">
<progress max="100"${value} aria-label="${texts.progressLabel}">${shown}</progress>
<p class="figures"><span class="message" data-errand-message>${message}</span> <span class="percent" data-errand-percent>${shown}</span></p>
<p class="note" data-errand-note hidden></p>
<noscript><p class="note">${texts.withoutScript}</p></noscript>
<p class="hidden" role="status" data-errand-spoken></p>
</div>`
}

function cancelOf({ links, texts, processId }: Omit<PageFacts, 'parts'>) {
  return html`<form method="post" action="${links.cancel}"><input type="hidden" name="process_id" value="${processId}"><button class="button calm">${texts.cancel}</button></form>`
}
