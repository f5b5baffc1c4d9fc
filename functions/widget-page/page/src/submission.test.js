import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { makeSubmission } from "./submission.js";
import { blue, demoForm, demoRemoval, demoReplacement, gold } from "./testing/demo-form.js";

const der = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "der" });
const publicKey = {
  reference: "119009",
  spki: der.toString("base64"),
  fingerprint: createHash("sha256").update(der).digest("hex"),
};
const asked = { ...demoForm(), encryptionKey: publicKey };
/** @type {import("./submission.js").Entered} */
const entered = {
  digits: "5234000000000106",
  personal: { firstName: "Ada" },
  consents: [{ document: "terms", version: "2026-01" }],
};

test("only the pair, first six and last four digits are sent", async () => {
  const { body, last4 } = await makeSubmission(entered, asked);
  const { card, ...rest } = JSON.parse(body);
  assert.deepEqual(rest, { bin: "523400", last4: "0106", firstName: "Ada", consents: entered.consents });
  assert.deepEqual(Object.keys(card), ["key", "data"]);
  assert.equal(last4, "0106");
  assert(!body.includes("00000000"), "the body has none of the digits in between");
});

test("each attempt has its own idempotency key", async () => {
  const [one, two] = await Promise.all([makeSubmission(entered, asked), makeSubmission(entered, asked)]);
  assert.match(one.idempotencyKey, /^[!-~]{16,64}$/);
  assert.notEqual(one.idempotencyKey, two.idempotencyKey);
});

test("a replacement sends the old card's id with the new card", async () => {
  const description = { ...demoReplacement(), encryptionKey: publicKey };
  const { body, last4 } = await makeSubmission({ ...entered, consents: [], oldCard: gold }, description);
  const { card, ...rest } = JSON.parse(body);
  assert.deepEqual(rest, { oldCard: gold.id, bin: "523400", last4: "0106", firstName: "Ada", consents: [] });
  assert.deepEqual(Object.keys(card), ["key", "data"]);
  assert.equal(last4, "0106");
});

test("an opt-out sends only the card's id", async () => {
  const { body, last4 } = await makeSubmission({ oldCard: blue, personal: {}, consents: [] }, demoRemoval());
  assert.deepEqual(JSON.parse(body), { oldCard: blue.id });
  assert.equal(last4, blue.last4);
});
