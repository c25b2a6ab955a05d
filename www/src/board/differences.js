/** Splits `text` into parts that are or are not in `other`, by words: `[{text, changed}]`. Longest common subsequence. */
export function differences(text, other) {
  const mine = words(text);
  const theirs = words(other);
  const lengths = commonLengths(mine, theirs);
  const parts = [];
  const add = (word, changed) => {
    const last = parts.at(-1);
    if (last && last.changed === changed) last.text += word;
    else parts.push({ text: word, changed });
  };
  let column = 0;
  for (let row = 0; row < mine.length; row += 1) {
    while (column < theirs.length && mine[row] !== theirs[column] && lengths[row][column + 1] === lengths[row][column]) column += 1;
    const same = column < theirs.length && mine[row] === theirs[column];
    add(mine[row], !same);
    if (same) column += 1;
  }
  return bridged(parts);
}

/** A space between two changed words belongs to the change: one mark over "a new one", not three. */
function bridged(parts) {
  const result = [];
  parts.forEach((part, index) => {
    const space = /^ +$/.test(part.text) && parts[index - 1]?.changed && parts[index + 1]?.changed;
    const previous = result.at(-1);
    if (previous?.changed && (space || part.changed)) previous.text += part.text;
    else result.push({ ...part });
  });
  return result;
}

const words = (text) => (text ?? '').match(/\s+|[^\s]+/g) ?? [];

/** lengths[i][j]: the longest common subsequence of mine from i on and theirs from j on. */
function commonLengths(mine, theirs) {
  const lengths = Array.from({ length: mine.length + 1 }, () => new Array(theirs.length + 1).fill(0));
  for (let i = mine.length - 1; i >= 0; i -= 1) {
    for (let j = theirs.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = mine[i] === theirs[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return lengths;
}
