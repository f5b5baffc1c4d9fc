import assert from "node:assert/strict";
import { test } from "node:test";
import { readFragment, takeOpening } from "./fragment.js";

const session = "q".repeat(42) + "_";

test("43 base64url characters are a session", () => {
  assert.deepEqual(readFragment(`#${session}`), { kind: "session", session });
});

test("other lengths or alphabets are no session", () => {
  for (const fragment of ["", "#", `#${session}x`, `#${session.slice(1)}`, `#${session.slice(1)}+`]) {
    assert.deepEqual(readFragment(fragment), { kind: "nothing" });
  }
});

test("a refusal is read with its incident id", () => {
  assert.deepEqual(readFragment("#status=ACCESS_DENIED&incident=AB12-CD34-EF56"), {
    kind: "failure",
    status: "ACCESS_DENIED",
    incident: "AB12-CD34-EF56",
  });
});

test("a fault of the service at opening is read", () => {
  assert.deepEqual(readFragment("#status=ERROR_ENROLLMENT&incident=AB12-CD34-EF56"), {
    kind: "failure",
    status: "ERROR_ENROLLMENT",
    incident: "AB12-CD34-EF56",
  });
});

test("a malformed incident id is dropped", () => {
  assert.deepEqual(readFragment("#status=TOKEN_EXPIRED&incident=<b>call+us</b>"), {
    kind: "failure",
    status: "TOKEN_EXPIRED",
  });
});

test("a fragment cannot forge a success", () => {
  assert.deepEqual(readFragment("#status=SUCCESS_ENROLLMENT"), { kind: "nothing" });
});

/** @param {unknown} state */
function fakeHistory(state = null) {
  return {
    state,
    /** @type {unknown} */ address: undefined,
    /** @param {unknown} next @param {string} _title @param {string | URL | null} [address] */
    replaceState(next, _title, address) {
      this.state = next;
      this.address = address;
    },
  };
}

test("the session leaves the address and survives a reload", () => {
  const history = fakeHistory();
  const pathname = "/widget/demo/";
  takeOpening({ hash: `#${session}`, pathname, search: "?lang=en_US" }, history);
  assert.equal(history.address, "/widget/demo/?lang=en_US");
  assert.deepEqual(takeOpening({ hash: "", pathname, search: "" }, history), { kind: "session", session });
});

test("a failure in the address overrides a kept session", () => {
  const opened = takeOpening({ hash: "#status=ACCESS_DENIED", pathname: "/", search: "" }, fakeHistory({ session }));
  assert.deepEqual(opened, { kind: "failure", status: "ACCESS_DENIED" });
});

test("a WebView that refuses replaceState still opens", () => {
  const history = { state: null, replaceState: () => { throw new Error("SecurityError"); } };
  assert.equal(takeOpening({ hash: `#${session}`, pathname: "/", search: "" }, history).kind, "session");
});

test("a reason is one of a closed list, for refusals only", () => {
  const read = (/** @type {string} */ status, /** @type {string} */ reason) =>
    readFragment(`#status=${status}&incident=AB12-CD34-EF56&reason=${reason}`);
  const incident = "AB12-CD34-EF56";
  for (const reason of ["limit", "suspended", "used"]) {
    assert.deepEqual(read("ACCESS_DENIED", reason), { kind: "failure", status: "ACCESS_DENIED", incident, reason });
    assert.deepEqual(read("TOKEN_EXPIRED", reason), { kind: "failure", status: "TOKEN_EXPIRED", incident });
  }
  for (const reason of ["", "card_limit", "last_try", "LIMIT", "<b>limit</b>"]) {
    assert.deepEqual(read("ACCESS_DENIED", reason), { kind: "failure", status: "ACCESS_DENIED", incident });
  }
});
