/** Bank account numbers: ISO 13616 (IBAN) and ISO 9362 (BIC). */

/** Lengths of the IBAN registry, for the countries of the single euro payments area. */
const LENGTHS: Readonly<Record<string, number>> = {
  AD: 24,
  AL: 28,
  AT: 20,
  BE: 16,
  BG: 22,
  CH: 21,
  CY: 28,
  CZ: 24,
  DE: 22,
  DK: 18,
  EE: 20,
  ES: 24,
  FI: 18,
  FR: 27,
  GB: 22,
  GI: 23,
  GR: 27,
  HR: 21,
  HU: 28,
  IE: 22,
  IS: 26,
  IT: 27,
  LI: 21,
  LT: 20,
  LU: 20,
  LV: 21,
  MC: 27,
  MD: 24,
  ME: 22,
  MK: 19,
  MT: 31,
  NL: 18,
  NO: 15,
  PL: 28,
  PT: 25,
  RO: 24,
  RS: 22,
  SE: 24,
  SI: 19,
  SK: 24,
  SM: 27,
  VA: 22,
};
const SHAPE = /^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$/;

/** The account number as machines write it: without spaces, in capitals. */
export function compactIban(text: string): string {
  return text.replaceAll(" ", "").toUpperCase();
}

/** Whether a compact IBAN has the length of its country and a check sum that holds. */
export function isIban(iban: string): boolean {
  const length = LENGTHS[iban.slice(0, 2)];
  return SHAPE.test(iban) && (length === undefined || length === iban.length) && remainder(iban) === 1;
}

/** ISO 7064 mod 97-10: the first four characters go last, letters count from 10. */
function remainder(iban: string): number {
  let rest = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

export function isBic(bic: string): boolean {
  return /^[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?$/.test(bic);
}
