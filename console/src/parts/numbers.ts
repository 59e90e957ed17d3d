/** Numbers as people read them. Counts of 64 bits come as strings of digits and stay exact. */

/** A count with commas. */
export const count = (digits: string | number | undefined): string =>
  String(digits ?? 0).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** Bytes in the unit that fits. */
export function bytes(digits: string | number | undefined): string {
  let value = Number(digits ?? 0);
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Microseconds in the unit that fits. */
export function duration(microseconds: string | number | undefined): string {
  const value = Number(microseconds ?? 0);
  if (value < 1000) return `${Math.round(value)} µs`;
  if (value < 1_000_000) return `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} ms`;
  return `${(value / 1_000_000).toFixed(2)} s`;
}

/** A share as a percentage; 99.97 % is not rounded up to 100. */
export function percent(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

/** A score in at most six significant digits. */
export function score(value: number | string | undefined): string {
  const number = Number(value ?? 0);
  return Number.isFinite(number) ? String(Number(number.toPrecision(6))) : String(value);
}

/** An enum's value without its prefix, in small letters: `DISTANCE_COSINE` is `cosine`. */
export function word(value: string | undefined, prefix: string): string {
  return (value ?? "").replace(prefix, "").toLowerCase().replaceAll("_", " ");
}

/** A moment, from seconds since 1970. */
export const moment = (seconds: number | undefined): string =>
  seconds ? new Date(seconds * 1000).toLocaleTimeString([], { hour12: false }) : "";
