import type { OutgoingHttpHeaders } from 'node:http'

// What pages say to browsers about themselves, after OWASP's HTTP Security Response Headers and Content Security Policy Cheat Sheets.

/** Everything from here and nothing from elsewhere; no script and no style within a page; not to be framed. */
export const CONTENT_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** Of every page, and of what it loads. */
export const PAGE_HEADERS: OutgoingHttpHeaders = Object.freeze({
  'Content-Security-Policy': CONTENT_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // For browsers that do not know `frame-ancestors`.
  'X-Frame-Options': 'DENY',
  // A page that opened ours, or that ours opened, has no hold on it; nobody else's page embeds our files.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
})
