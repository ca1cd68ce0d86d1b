// Numbers as people read them.

const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];

export function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  for (const [size, letter] of PREFIXES) {
    if (Math.abs(value) >= 0.9995 * size) return digits(value / size) + letter;
  }
  return Number.isInteger(value) ? String(value) : digits(value);
}

function digits(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.01) return value.toFixed(2);
  return value.toExponential(1);
}

export function exact(value) {
  return value === null ? "–" : String(Number(value.toPrecision(5)));
}

export function percent(share) {
  return share === null || share === undefined ? "–" : digits(100 * share) + " %";
}

export function clock(seconds) {
  return new Date(1000 * seconds).toLocaleTimeString("en-GB");
}

// Round places for the ticks of an axis.
export function ticks(low, high, isLog, most = 6) {
  const found = [];
  if (isLog) {
    const decades = Math.log10(high / low);
    const digitsOfDecade = decades > 3.2 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const digit of digitsOfDecade) {
        const at = digit * 10 ** power;
        if (at >= low && at <= high) found.push(at);
      }
    }
    return found;
  }
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= rough);
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) {
    found.push(Math.abs(at) < step * 1e-6 ? 0 : at);
  }
  return found;
}

export function tickText(value) {
  const [size, letter] = PREFIXES.find((each) => Math.abs(value) >= each[0]) ?? [1, ""];
  return Number((value / size).toPrecision(3)) + letter;
}
