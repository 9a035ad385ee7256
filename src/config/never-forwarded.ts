/**
 * Request header fields that the gateway makes itself from what it has read and judged, that belong to one connection, or
 * that change what a request is: no configuration lets the client's own go upstream.
 */
export const neverForwarded: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-location',
  'content-type',
  'expect',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-exist',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'prefer',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
])
