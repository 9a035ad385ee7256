const millisecondsPer: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

const bytesPer: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** What a duration and a size look like. */
export const durationPattern = /^[1-9]\d{0,8} ?(ms|s|m|h)$/
export const sizePattern = /^[1-9]\d{0,8} ?(B|KiB|MiB|GiB)$/

/** In milliseconds. Node's timers hold no more: a longer delay would fire at once. */
export const longestDuration = 2 ** 31 - 1

/** `250ms`, `30s`, `5m`, `1h` → milliseconds. Undefined for everything else, zero included. */
export function parseDuration(text: string): number | undefined {
  const milliseconds = parseAmount(text, millisecondsPer)
  return milliseconds !== undefined && milliseconds <= longestDuration ? milliseconds : undefined
}

/** `512 B`, `64 KiB`, `1 MiB`, `1 GiB` → bytes. Undefined for everything else, zero included. */
export function parseSize(text: string): number | undefined {
  return parseAmount(text, bytesPer)
}

function parseAmount(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^([1-9]\d{0,8}) ?([A-Za-z]+)$/.exec(text)
  const unit = match && Object.hasOwn(units, match[2]!) ? units[match[2]!] : undefined
  return unit === undefined ? undefined : Number(match![1]) * unit
}
