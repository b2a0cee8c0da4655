/** The signature beside a payment file. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type PublicKey, seededEntropy, signerFromSeed, unwrap } from "#core";
import { signatureText, signFile, verifyFile } from "./signed-file.ts";

const signerOf = (name: string) => signerFromSeed(seededEntropy("signed file", name).bytes(32));
const provider = signerOf("provider");
const FILE = new TextEncoder().encode("<Document>4.00 to alice</Document>\n");
const SIGNATURE = signatureText(signFile(FILE, "village", provider));

test("holds for the file and the provider's key", () => {
  expect(unwrap(verifyFile(FILE, SIGNATURE, provider.publicKey))).toMatchObject({ networkId: "village" });
});

test("a payment file altered after signing is found out, whatever is changed", () => {
  fc.assert(
    fc.property(fc.nat({ max: FILE.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const altered = FILE.map((byte, index) => (index === at ? byte ^ change : byte));
      expect(verifyFile(altered, SIGNATURE, provider.publicKey)).toEqual({ ok: false, error: "file_altered" });
    }),
  );
  const longer = new TextEncoder().encode(`${new TextDecoder().decode(FILE)} `);
  expect(verifyFile(longer, SIGNATURE, provider.publicKey)).toEqual({ ok: false, error: "file_altered" });
});

test("nobody else's signature counts, and none that names another network or digest", () => {
  const thief = signerOf("thief");
  const forged = signatureText(signFile(FILE, "village", thief));
  expect(verifyFile(FILE, forged, provider.publicKey)).toEqual({ ok: false, error: "signer_foreign" });
  const renamed = forged.replace(thief.publicKey, provider.publicKey);
  expect(verifyFile(FILE, renamed, provider.publicKey)).toEqual({ ok: false, error: "file_altered" });
  const moved = SIGNATURE.replace('"village"', '"another village"');
  expect(verifyFile(FILE, moved, provider.publicKey)).toEqual({ ok: false, error: "file_altered" });
});

test.each(["", "{}", "[]", "null", SIGNATURE.replace("ed25519", "none"), SIGNATURE.slice(0, 60)])(
  "what is no signature is said to be none (%#)",
  (text) => {
    const key: PublicKey = provider.publicKey;
    expect(verifyFile(FILE, text, key)).toEqual({ ok: false, error: "signature_malformed" });
  },
);
