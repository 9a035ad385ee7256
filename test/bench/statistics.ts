/** The middle value, or the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Half of the way from the least to the greatest, as a share of the median: 0.05 is ± 5 %. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values)
}

/**
 * The median of the ratios, round by round: what slows a whole round down slows both.
 * NaN where they have no round in common.
 */
export function medianRatio(values: readonly number[], ofOthers: readonly number[]): number {
  const rounds = Math.min(values.length, ofOthers.length)
  return median(Array.from({ length: rounds }, (_, round) => values[round]! / ofOthers[round]!))
}

/** The slope of the line through the points that has the least squared errors. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [meanX, meanY] = [mean(0), mean(1)]
  const products = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return products / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}
