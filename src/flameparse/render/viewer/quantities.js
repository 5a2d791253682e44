// Weights and shares as people read them.

const grouped = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 2 });

/** A count with thousands marks. */
export const formatCount = (value) => value.toLocaleString('en-US');

/** A weight with its unit; times and sizes in the unit that suits them. */
export function formatWeight(weight, unit, event) {
  const value = Number(weight);
  if (unit === 'nanoseconds') {
    for (const [size, name] of [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs']]) if (value >= size) return `${grouped(value / size)} ${name}`;
    return `${grouped(weight)} ns`;
  }
  if (unit === 'bytes') {
    for (const [power, name] of [[30, 'GiB'], [20, 'MiB'], [10, 'KiB']]) if (value >= 2 ** power) return `${grouped(value / 2 ** power)} ${name}`;
    return `${grouped(weight)} bytes`;
  }
  if (unit === 'samples') return value === 1 ? '1 sample' : `${grouped(weight)} samples`;
  return `${grouped(weight)} ${event && event !== 'all' ? event : unit}`;
}

/** A part of a whole as a percentage with two decimals. */
export const formatShare = (part, whole) => `${(whole > 0 ? (100 * part) / whole : 0).toFixed(2)}%`;
