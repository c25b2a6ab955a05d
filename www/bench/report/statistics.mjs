// From samples to what the table says.

export function median(samples) {
  const sorted = samples.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `{samples, median, min, max}`, `{error}`, or nothing where a contestant has nothing to measure. */
function summarize({ samples, error }) {
  if (error) return { error, samples };
  const numbers = samples.filter((sample) => typeof sample === 'number');
  if (numbers.length === 0) return undefined;
  return { samples, median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * One row of the report: the summary of each contestant; `bestPeer`, the faster one of the peers; `timesFaster`, how many of the
 * subject's times fit into the best peer's; `timesFloor`, how many of the floor's times fit into the subject's; `timesOther`, the
 * same for each of the others. Of bytes, the less the better too.
 */
export function summarizeRow({ id, title, unit = 'ms' }, measured, contestants) {
  const results = Object.fromEntries(contestants.map((one) => [one.id, summarize(measured[one.id])]));
  const medianOf = (contestant) => contestant && results[contestant.id]?.median;
  const ofKind = (kind) => contestants.filter((one) => one.kind === kind && medianOf(one) !== undefined);
  const [subject] = ofKind('subject');
  const [floor] = ofKind('floor');
  const [bestPeer] = ofKind('peer').sort((left, right) => medianOf(left) - medianOf(right));
  // Numbers of tasks, and the length of what was not noticed, have no ratio worth telling.
  const comparable = unit === 'ms' || unit === 'bytes';
  const isAbove0 = (contestant) => medianOf(contestant) > 0;
  const ratio = (upper, lower) => {
    return comparable && isAbove0(upper) && isAbove0(lower) ? medianOf(upper) / medianOf(lower) : undefined;
  };
  return {
    id,
    title,
    unit,
    results,
    bestPeer: bestPeer?.id,
    timesFaster: ratio(bestPeer, subject),
    timesFloor: ratio(subject, floor),
    timesOther: Object.fromEntries(ofKind('other').map((other) => [other.id, ratio(subject, other)])),
    peerTimesFloor: ratio(bestPeer, floor),
  };
}
