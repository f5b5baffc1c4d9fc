// CPU time of Mastercard's npm package: arguments are certificate, batch and card; prints microseconds for each call.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const packages = createRequire(new URL("../../../tests/interop/official/package.json", import.meta.url));
const { JweEncryption, FieldLevelEncryption } = packages("mastercard-client-encryption");

const SHORTEST = 200_000;
const ROUNDS = 5;

function used() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

// Least CPU time of a call, over rounds that are long enough to be measured.
function microseconds(call) {
  call();
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = used();
    let calls = 0;
    while (used() - start < SHORTEST) {
      call();
      calls++;
    }
    least = Math.min(least, (used() - start) / calls);
  }
  return least;
}

const [certificate, batchFile, cardFile] = process.argv.slice(2);
const batch = JSON.parse(readFileSync(batchFile, "utf8"));
const card = JSON.parse(readFileSync(cardFile, "utf8"));
const jwe = new JweEncryption({
  paths: [{ path: "/", toEncrypt: [{ element: "$", obj: "$" }], toDecrypt: [] }],
  encryptedValueFieldName: "encryptedData",
  encryptionCertificate: certificate,
});
const fields = new FieldLevelEncryption({
  paths: [{ path: "/", toEncrypt: [{ element: "data", obj: "encrypted" }], toDecrypt: [] }],
  encryptedValueFieldName: "encryptedValue",
  encryptedKeyFieldName: "encryptedKey",
  ivFieldName: "iv",
  oaepHashingAlgorithmFieldName: "oaepPaddingDigestAlgorithm",
  oaepPaddingDigestAlgorithm: "SHA-256",
  dataEncoding: "hex",
  publicKeyFingerprintType: "publicKey",
  publicKeyFingerprintFieldName: "encryptionKeyFingerprint",
  encryptionCertificate: certificate,
});
console.log(
  JSON.stringify({
    // The package writes into the object that it is given.
    jwe: microseconds(() => jwe.encrypt("/", {}, { ...batch })),
    field: microseconds(() => fields.encrypt("/", {}, { ...card })),
  }),
);
