// Encryption and decryption of payloads by Mastercard's npm package.
// Standard input: {"certificate": file, "key": file, "calls": [{"kind": "jwe" or "field", "do": "encrypt" or "decrypt", "config",
// "headers", "body"}]}; standard output: [{"headers", "body"} or {"error"}].
import { readFileSync } from "node:fs";
import clientEncryption from "mastercard-client-encryption";

const { certificate, key, calls } = JSON.parse(readFileSync(0, "utf8"));
const kinds = { jwe: clientEncryption.JweEncryption, field: clientEncryption.FieldLevelEncryption };

const made = calls.map((call) => {
  try {
    const config = { ...call.config, encryptionCertificate: certificate, privateKey: key };
    const encryption = new kinds[call.kind](config);
    if (call.do === "encrypt") {
      const { header, body } = encryption.encrypt("/resource", { ...call.headers }, call.body);
      return { headers: header, body };
    }
    const body = encryption.decrypt({ request: { url: "/resource" }, header: call.headers, body: call.body });
    return { headers: {}, body };
  } catch (error) {
    return { error: String(error) };
  }
});
console.log(JSON.stringify(made));
