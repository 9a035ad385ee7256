/**
 * Whether a number is one of FHIRPath's decimals: up to 20 digits before the point and 8 after it.
 * https://hl7.org/fhirpath/#decimal
 */
export function isExact(text: string): boolean {
  const [, whole, fraction = '', exponent = '0'] = /^[+-]?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  if (whole === undefined || whole.length + fraction.length > 60 || exponent.length > 3) return false
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  const after = fraction.length - Number(exponent) - (digits.length - significant.length)
  return significant === '' || (after <= 8 && significant.length - after <= 20)
}

/**
 * Whether something is a decimal of the package so large or so small that dividing by it, or it, takes as long as it has
 * digits when it is written out.
 */
export function isOutOfRange(data: unknown): boolean {
  if (typeof data !== 'object' || data === null || !('decimalPlaces' in data) || !('asStr' in data)) return false
  const size = Math.abs(Number(data.asStr))
  return size !== 0 && !(size > 1e-28 && size < 1e28)
}
