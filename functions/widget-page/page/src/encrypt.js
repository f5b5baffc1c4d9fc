// ASSUMPTION, stated only here and in `infra/sandbox`: the cipher of the pair `{"key","data"}`
// (`docs/sources.md#widget`, "PAN encryption process") is not public. Assumed: a fresh AES-256-GCM key `k` and a
// 12-byte `iv` for each pair; `data` = base64(iv || ciphertext || 16-byte tag) of the digits in ASCII, without AAD;
// `key` = base64 of the 32 bytes of `k` under RSA-OAEP with SHA-256 (and MGF1 with SHA-256).

import { fromBase64, toBase64 } from "./base64.js";

/** Returns whether Web Crypto is available: not in old browsers, and not at insecure addresses. */
export const canEncrypt = () => Boolean(globalThis.crypto?.subtle);

/**
 * @param {string} digits the card number
 * @param {import("./wire.js").EncryptionKey} publicKey of Mastercard
 * @returns {Promise<import("./wire.js").EncryptedCard>}
 */
export async function encryptCard(digits, publicKey) {
  const { subtle } = crypto;
  const spki = fromBase64(publicKey.spki);
  const fingerprint = new Uint8Array(await subtle.digest("SHA-256", spki));
  if (toHex(fingerprint) !== publicKey.fingerprint.toLowerCase()) {
    throw new Error("the encryption key does not match its fingerprint");
  }
  const wrapping = await subtle.importKey("spki", spki, { name: "RSA-OAEP", hash: "SHA-256" }, false, ["wrapKey"]);

  const key = await subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(digits));
  const wrapped = await subtle.wrapKey("raw", key, wrapping, "RSA-OAEP");

  return {
    key: toBase64(new Uint8Array(wrapped)),
    data: toBase64(new Uint8Array([...iv, ...new Uint8Array(sealed)])),
  };
}

/** @param {Uint8Array} bytes */
function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
