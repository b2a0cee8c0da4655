/** Ed25519: known answers, which keys and signatures are refused. */
import { describe, expect, test } from "vitest";
import {
  fromHex,
  InvariantError,
  isAcceptablePublicKey,
  isSignatureValid,
  newSigner,
  type PublicKey,
  seededEntropy,
  signerFromSeed,
  toHex,
} from "./index.ts";

const P = 2n ** 255n - 19n;
/** Order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

function littleEndianHex(value: bigint): string {
  return toHex(fromHex(value.toString(16).padStart(64, "0")).reverse());
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`);
}

describe("known answers (RFC 8032 section 7.1)", () => {
  test.each([
    [
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
  ])("seed %s", (seed, publicKey, message, signature) => {
    const signer = signerFromSeed(fromHex(seed));
    expect(signer.publicKey).toBe(publicKey);
    expect(toHex(signer.sign(fromHex(message)))).toBe(signature);
    expect(isSignatureValid(signer.publicKey, fromHex(message), fromHex(signature))).toBe(true);
  });
});

/** The curve, just enough to say what order a point has: x² and doubling in affine coordinates. */
const D = (-121665n * inverse(121666n)) % P;
function inverse(value: bigint): bigint {
  return power(value, P - 2n);
}
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = ((base % P) + P) % P;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * factor) % P;
    factor = (factor * factor) % P;
  }
  return result;
}
/** Doubling needs only y: y' = (y² + x²) / (1 - d·x²·y²) with x² = (y² - 1) / (d·y² + 1). */
function doubledY(y: bigint): bigint {
  const yy = (y * y) % P;
  const xx = ((((yy - 1n) * inverse(D * yy + 1n)) % P) + P) % P;
  const value = (yy + xx) * inverse(1n - D * xx * yy);
  return ((value % P) + P) % P;
}

describe("keys that are refused", () => {
  const order8 = [
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  ];
  const withSign = (hex: string): string => {
    const bytes = fromHex(hex);
    bytes[31] = (bytes[31] ?? 0) | 0x80;
    return toHex(bytes);
  };
  const eight = [
    littleEndianHex(1n),
    littleEndianHex(P - 1n),
    littleEndianHex(0n),
    withSign(littleEndianHex(0n)),
    ...order8.flatMap((hex) => [hex, withSign(hex)]),
  ];

  test.each(eight)("the point of small order %s", (hex) => {
    const y = fromLittleEndian(fromHex(hex)) & ((1n << 255n) - 1n);
    expect(doubledY(doubledY(doubledY(y)))).toBe(1n); // Eight times it is the neutral element: the constant is right.
    expect(isAcceptablePublicKey(hex)).toBe(false);
  });

  test("there are eight of them, all different", () => {
    expect(new Set(eight).size).toBe(8);
  });

  test.each([
    ["neutral element with a sign", withSign(littleEndianHex(1n))],
    ["point of order two with a sign", withSign(littleEndianHex(P - 1n))],
    ["p for zero", littleEndianHex(P)],
    ["p for zero, with a sign", withSign(littleEndianHex(P))],
    ["p + 1 for one", littleEndianHex(P + 1n)],
    ["p + 1 for one, with a sign", withSign(littleEndianHex(P + 1n))],
    ["p + 9", littleEndianHex(P + 9n)],
    ["the greatest", littleEndianHex(2n ** 255n - 1n)],
    ["the greatest, with a sign", "ff".repeat(32)],
  ])("non-canonical: %s", (_what, hex) => {
    expect(isAcceptablePublicKey(hex)).toBe(false);
  });

  test.each([
    ["nothing", ""],
    ["31 bytes", "ab".repeat(31)],
    ["33 bytes", "ab".repeat(33)],
    ["upper case", signerFromSeed(new Uint8Array(32)).publicKey.toUpperCase()],
    ["no hexadecimal", "zz".repeat(32)],
    ["a trailing line end", `${signerFromSeed(new Uint8Array(32)).publicKey}\n`],
  ])("malformed: %s", (_what, text) => {
    expect(isAcceptablePublicKey(text)).toBe(false);
    expect(isSignatureValid(text as PublicKey, new Uint8Array(1), new Uint8Array(64))).toBe(false);
  });

  test("a signature that a key of small order makes valid for every message is refused with the key", () => {
    const signature = new Uint8Array(64);
    signature[0] = 1; // R is the neutral element and S is zero.
    for (const hex of eight) expect(isSignatureValid(hex as PublicKey, Uint8Array.of(1, 2, 3), signature)).toBe(false);
  });
});

describe("signatures", () => {
  const signer = newSigner(seededEntropy("keys", "test"));
  const message = Uint8Array.of(1, 2, 3);
  const signature = signer.sign(message);

  test("keys from entropy are acceptable and sign", () => {
    const entropy = seededEntropy(1, "many");
    for (let count = 0; count < 20; count++) {
      const made = newSigner(entropy);
      expect(isAcceptablePublicKey(made.publicKey)).toBe(true);
      expect(isSignatureValid(made.publicKey, message, made.sign(message))).toBe(true);
    }
  });

  test("another message, another key, a changed bit: not valid", () => {
    expect(isSignatureValid(signer.publicKey, message, signature)).toBe(true);
    expect(isSignatureValid(signer.publicKey, Uint8Array.of(1, 2, 4), signature)).toBe(false);
    expect(isSignatureValid(newSigner(seededEntropy("other", "test")).publicKey, message, signature)).toBe(false);
    for (const at of [0, 31, 32, 63]) {
      const changed = Uint8Array.from(signature);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(isSignatureValid(signer.publicKey, message, changed)).toBe(false);
    }
  });

  test("malformed: empty, short, long, and S beyond the order of the base point", () => {
    for (const length of [0, 1, 63, 65])
      expect(isSignatureValid(signer.publicKey, message, new Uint8Array(length))).toBe(false);
    const lifted = Uint8Array.from(signature);
    lifted.set(fromHex(littleEndianHex(fromLittleEndian(signature.slice(32)) + L)), 32);
    expect(isSignatureValid(signer.publicKey, message, lifted)).toBe(false);
  });

  test("a seed has 32 bytes, and a signer shows no more than its public key", () => {
    expect(() => signerFromSeed(new Uint8Array(31))).toThrow(InvariantError);
    expect(Object.keys(signer).sort()).toEqual(["publicKey", "sign"]);
    expect(Object.isFrozen(signer)).toBe(true);
  });
});
