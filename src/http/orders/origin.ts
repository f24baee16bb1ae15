import { refusal } from '../problem.js'
import { isOwnOrigin } from '../same-origin.js'

/**
 * Refuses what a page of another origin makes a browser send: with the cookies of its user, and without the user knowing.
 * @throws Refusal 403
 */
export function refuseForeignPage(request: Request, allowed: readonly string[]): void {
  if (!isOwnOrigin(request, allowed)) throw refusal({ status: 403, detail: 'Pages of another origin must not do this.' })
}
