// Numbers: as text, from text, and over many.

/**
 * The label that no score counts.
 * @type {number}
 */
export const VOID = 255;

/**
 * 0.4815 as "48.1\u00a0%", and a dash for what doesn't exist.
 * @param {number} share
 * @returns {string} percent
 */
export function percent(share) {
  return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)}\u00a0%`;
}

/**
 * Bytes from base64.
 * @param {string} text
 * @returns {Uint8Array} the bytes
 */
export function bytes(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}

/**
 * The arithmetic mean.
 * @param {number[]} values
 * @returns {number} NaN for none
 */
export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The remainder that is never negative.
 * @param {number} value
 * @param {number} count
 * @returns {number} 0 to count - 1
 */
export function modulo(value, count) {
  return ((value % count) + count) % count;
}
