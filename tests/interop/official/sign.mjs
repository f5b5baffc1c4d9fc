// Headers and signature base strings of Mastercard's npm package, for requests with a nonce and a time of their own.
// Standard input: {"key": PEM, "requests": [{"method", "url", "body" (base64), "consumerKey", "nonce", "timestamp", "pss"}]};
// standard output: [{"header", "base"}].
import { readFileSync } from "node:fs";
import OAuth from "mastercard-oauth1-signer";

const { key, requests } = JSON.parse(readFileSync(0, "utf8"));

const signed = requests.map(({ method, url, body, consumerKey, nonce, timestamp, pss }) => {
  let base;
  const sign = OAuth.signSignatureBaseString;
  OAuth.getNonce = () => nonce;
  OAuth.getTimestamp = () => timestamp;
  OAuth.signSignatureBaseString = (text, ...rest) => {
    base = text;
    return sign(text, ...rest);
  };
  const scheme = pss ? OAuth.SignatureMethod.RSA_PSS_SHA256 : OAuth.SignatureMethod.RSA_SHA256;
  const payload = Buffer.from(body, "base64");
  const header = OAuth.getAuthorizationHeader(url, method, payload, consumerKey, key, scheme);
  OAuth.signSignatureBaseString = sign;
  return { header, base };
});
console.log(JSON.stringify(signed));
