import type { CDPSession, ConsoleMessage, HTTPRequest, HTTPResponse, Page } from 'puppeteer-core'

/** What Chromium tells of a resource that a content security policy kept out; its report has more fields. */
interface AuditedIssue {
  readonly issue: {
    readonly code: string
    readonly details: {
      readonly contentSecurityPolicyIssueDetails?: { readonly violatedDirective: string; readonly blockedURL?: string }
    }
  }
}

/** Collects what a page complains of from now on, in the order in which it is told; the answer is the growing list. */
export async function collectFaults(page: Page, session: CDPSession): Promise<string[]> {
  const faults: string[] = []
  page.on('console', (message) => faults.push(...ofConsole(message)))
  page.on('pageerror', (error) => faults.push(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`))
  page.on('requestfailed', (request) => faults.push(...ofFailure(request)))
  page.on('response', (response) => faults.push(...ofResponse(response)))
  session.on('Audits.issueAdded', (event: AuditedIssue) => faults.push(...ofIssue(event)))
  await session.send('Audits.enable')
  return faults
}

function ofConsole(message: ConsoleMessage): string[] {
  // told with more words by the request itself
  if (message.type() !== 'error' || message.text().startsWith('Failed to load resource')) return []
  return [`console: ${message.text()}`]
}

function ofFailure(request: HTTPRequest): string[] {
  const why = request.failure()?.errorText ?? 'failed'
  // a page that is left, and a stream that its page closes, end so
  if (why === 'net::ERR_ABORTED') return []
  return [`request: ${request.method()} ${request.url()} ${why}`]
}

/** A page may be an answer of any status; what it asks for must be there. */
function ofResponse(response: HTTPResponse): string[] {
  const request = response.request()
  if (response.status() < 400 || request.isNavigationRequest()) return []
  return [`request: ${request.method()} ${response.url()} answered ${response.status()}`]
}

function ofIssue({ issue }: AuditedIssue): string[] {
  const policy = issue.details.contentSecurityPolicyIssueDetails
  if (policy === undefined) return []
  return [`content security policy: ${policy.violatedDirective} forbids ${policy.blockedURL ?? 'what stands in the page'}`]
}
