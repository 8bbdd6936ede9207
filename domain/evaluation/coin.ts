// A coin that falls the same way each time it is asked with the same seed: the baseline that knows nothing.

/** @returns heads or tails for the toss of that number (Mulberry32, the top bit) */
export function toss(seed: number, index: number): boolean {
  let state = (seed + Math.imul(index + 1, 0x6d2b79f5)) | 0;
  state = Math.imul(state ^ (state >>> 15), state | 1);
  state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
  return (state ^ (state >>> 14)) >>> 31 === 1;
}
