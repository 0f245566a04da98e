import { integer, text } from './setting-kinds.ts'

/** Settings of who gets in, and of what stands in front. */
export const ACCESS_SETTINGS = {
  publicUrl: text({
    variable: 'MEKONG_PUBLIC_URL',
    doc: 'Address under which browsers reach the console when a proxy with TLS stands in front: sessions are bound to it, and their cookies are Secure. Without it the Host header is believed.',
    default: undefined,
    example: 'https://mekong.example.org',
  }),
  proxies: integer({
    variable: 'MEKONG_PROXIES',
    doc: 'Proxies in front that each add to X-Forwarded-For: callers’ addresses are read there. 0 believes nobody and takes the connection’s own.',
    unit: 'proxies',
    default: 0,
    min: 0,
    max: 10,
  }),
  sessionIdleMinutes: integer({
    variable: 'MEKONG_SESSION_IDLE_MINUTES',
    doc: 'A session of the console is over after so long without a request.',
    unit: 'minutes',
    default: 30,
    min: 1,
    max: 10_080,
  }),
  sessionHours: integer({
    variable: 'MEKONG_SESSION_HOURS',
    doc: 'A session of the console is over so long after it began, however much it is used.',
    unit: 'hours',
    default: 8,
    min: 1,
    max: 720,
  }),
} as const
