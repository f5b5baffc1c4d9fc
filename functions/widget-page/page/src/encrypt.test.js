import assert from "node:assert/strict";
import { constants, createDecipheriv, createHash, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { test } from "node:test";
import { encryptCard } from "./encrypt.js";

const number = "5234000000000106";
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const der = pair.publicKey.export({ type: "spki", format: "der" });
const publicKey = {
  reference: "119009",
  spki: der.toString("base64"),
  fingerprint: createHash("sha256").update(der).digest("hex"),
};

/** Opens a pair with node's own OpenSSL, which shares no code with WebCrypto's callers. @param {{ key: string, data: string }} card */
function open(card) {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const key = privateDecrypt({ key: pair.privateKey, padding, oaepHash: "sha256" }, Buffer.from(card.key, "base64"));
  const data = Buffer.from(card.data, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, data.subarray(0, 12));
  decipher.setAuthTag(data.subarray(-16));
  return { key, digits: Buffer.concat([decipher.update(data.subarray(12, -16)), decipher.final()]).toString("ascii") };
}

test("the private key decrypts the pair", async () => {
  const { key, digits } = open(await encryptCard(number, publicKey));
  assert.equal(key.length, 32);
  assert.equal(digits, number);
});

test("two pairs of one number have nothing in common", async () => {
  const [one, two] = await Promise.all([encryptCard(number, publicKey), encryptCard(number, publicKey)]);
  assert.notEqual(one.data.slice(0, 16), two.data.slice(0, 16));
  assert.notDeepEqual(open(one).key, open(two).key);
});

test("a key with another fingerprint is refused", async () => {
  await assert.rejects(encryptCard(number, { ...publicKey, fingerprint: "00".repeat(32) }), /fingerprint/);
});

test("fingerprints are case-insensitive", async () => {
  await encryptCard(number, { ...publicKey, fingerprint: publicKey.fingerprint.toUpperCase() });
});
