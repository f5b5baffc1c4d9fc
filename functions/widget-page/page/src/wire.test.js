import assert from "node:assert/strict";
import { test } from "node:test";
import { eventIn } from "./wire.js";

test("an event keeps its seven members", () => {
  const event = {
    status: "SUCCESS_ENROLLMENT",
    statusCode: "-50",
    parentId: "5d7703f9-7df2-4323-9745-9474f3182aef",
    ranac: "03643782610476418733",
    designCode: "Gold",
    bin: "523400",
    last4: "0123",
  };
  assert.deepEqual(eventIn(event), event);
});

test("null, empty and foreign members are dropped", () => {
  const event = eventIn({ status: "ERROR_ENROLLMENT", statusCode: null, ranac: "", pan: "5234000000000123" });
  assert.deepEqual(event, { status: "ERROR_ENROLLMENT" });
});

test("the events of every action are known", () => {
  for (const outcome of ["SUCCESS", "ERROR"]) {
    for (const action of ["ENROLLMENT", "REPLACEMENT", "REMOVAL"]) {
      assert.deepEqual(eventIn({ status: `${outcome}_${action}` }), { status: `${outcome}_${action}` });
    }
  }
});

test("an answer without a known status is no event", () => {
  assert.equal(eventIn({}), undefined);
  assert.equal(eventIn({ status: 200, title: "a problem" }), undefined);
});
