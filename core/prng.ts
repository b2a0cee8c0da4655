/** Seeded randomness: sfc32 (public domain, C. Doty-Humphrey), seeded by SHA-256 of a text so that streams never overlap by accident. */
import { sha256 } from "./hash.ts";
import type { Entropy, Prng } from "./ports.ts";

/** A stream of its own for each `seed` and `stream` name, so that a new draw in one place does not reshuffle another. */
export function seededPrng(seed: number | string, stream: string): Prng {
  const words = new DataView(sha256(new TextEncoder().encode(`dream prng ${seed} ${stream}`)).buffer);
  let a = words.getUint32(0);
  let b = words.getUint32(4);
  let c = words.getUint32(8);
  let counter = 1;
  const nextUint32 = (): number => {
    const out = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + out) >>> 0;
    return out;
  };
  const nextFloat = (): number => nextUint32() / 2 ** 32;
  // Box-Muller; both values of a pair are not kept, so that the stream has no hidden state.
  const nextNormal = (): number => Math.sqrt(-2 * Math.log(1 - nextFloat())) * Math.cos(2 * Math.PI * nextFloat());
  return { nextUint32, nextFloat, nextNormal };
}

/** Entropy drawn from a seed: for simulation and tests only; keys made from it protect nothing. */
export function seededEntropy(seed: number | string, stream: string): Entropy {
  const prng = seededPrng(seed, `entropy ${stream}`);
  return {
    bytes(length) {
      const out = new Uint8Array(length);
      for (let index = 0; index < length; index++) out[index] = prng.nextUint32() & 0xff;
      return out;
    },
  };
}
