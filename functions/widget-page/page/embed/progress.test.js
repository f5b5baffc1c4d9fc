import assert from "node:assert/strict";
import { beforeEach, describe, mock, test } from "node:test";
import { createProgress } from "./progress.js";

describe("progress", () => {
  /** @type {unknown[]} */
  let told;
  /** @param {boolean} [isModal] */
  const open = (isModal = false) =>
    createProgress({ isModal, settle: ({ status }) => told.push(status), giveUp: (wasReady) => told.push({ wasReady }) });

  /** @param {ReturnType<typeof createProgress>} progress @param {CardEnrollment.Outcome} outcome */
  const end = (progress, outcome) => {
    progress.note(outcome);
    progress.ended(outcome);
  };

  beforeEach(() => {
    told = [];
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout"] });
  });

  test("frame that is not ready within 20 s is given up", () => {
    const progress = open();
    progress.loaded();
    mock.timers.tick(19_999);
    assert.deepEqual(told, []);
    mock.timers.tick(1);
    assert.deepEqual(told, [{ wasReady: false }]);
    progress.left();
    end(progress, { status: "SUCCESS_ENROLLMENT" });
    assert.equal(told.length, 1, "settles once");
  });

  for (const order of [["loaded", "ready"], ["ready", "loaded"]]) {
    test(`ready frame is not given up: ${order.join(", ")}`, () => {
      const progress = open();
      for (const step of order) progress[/** @type {"loaded" | "ready"} */ (step)]();
      mock.timers.tick(3_600_000);
      assert.deepEqual(told, []);
    });

    test(`later document that is not ready is given up: ${order.join(", ")}`, () => {
      const progress = open();
      for (const step of order) progress[/** @type {"loaded" | "ready"} */ (step)]();
      mock.timers.tick(60_000);
      progress.loaded();
      mock.timers.tick(20_000);
      assert.deepEqual(told, [{ wasReady: true }]);
    });
  }

  test("later document that is ready goes on", () => {
    const progress = open();
    progress.ready();
    progress.loaded();
    progress.loaded();
    progress.ready();
    mock.timers.tick(60_000);
    assert.deepEqual(told, []);
  });

  test("lost frame has the last attempt's status", () => {
    const progress = open();
    progress.ready();
    progress.loaded();
    end(progress, { status: "ERROR_ENROLLMENT" });
    progress.loaded();
    mock.timers.tick(20_000);
    assert.deepEqual(told, ["ERROR_ENROLLMENT"]);
  });

  test("frame that came back after a refused attempt goes on", () => {
    const progress = open();
    progress.ready();
    progress.loaded();
    end(progress, { status: "ERROR_ENROLLMENT" });
    progress.loaded();
    progress.ready();
    mock.timers.tick(60_000);
    assert.deepEqual(told, []);
    end(progress, { status: "SUCCESS_ENROLLMENT" });
    assert.deepEqual(told, ["SUCCESS_ENROLLMENT"]);
  });

  for (const status of /** @type {const} */ ([
    "SUCCESS_ENROLLMENT",
    "SUCCESS_REPLACEMENT",
    "SUCCESS_REMOVAL",
    "TOKEN_EXPIRED",
    "ACCESS_DENIED",
    "INVALID_PARAMETERS",
  ])) {
    test(`${status} is final`, () => {
      end(open(), { status });
      assert.deepEqual(told, [status]);
    });
  }

  for (const status of /** @type {const} */ (["ERROR_ENROLLMENT", "ERROR_REPLACEMENT", "ERROR_REMOVAL"])) {
    test(`${status} is final once no attempt is left`, () => {
      const progress = open();
      end(progress, { status });
      assert.deepEqual(told, []);
      progress.done();
      assert.deepEqual(told, [status]);
    });
  }

  test("modal gives the customer 10 s to read the outcome", () => {
    const progress = open(true);
    progress.ready();
    end(progress, { status: "SUCCESS_ENROLLMENT" });
    mock.timers.tick(9_999);
    assert.deepEqual(told, []);
    mock.timers.tick(1);
    assert.deepEqual(told, ["SUCCESS_ENROLLMENT"]);
  });

  test("left modal settles at once", () => {
    const progress = open(true);
    end(progress, { status: "SUCCESS_ENROLLMENT" });
    progress.left();
    assert.deepEqual(told, ["SUCCESS_ENROLLMENT"]);
    mock.timers.tick(60_000);
    assert.equal(told.length, 1);
  });

  test("frame left without an outcome is closed", () => {
    open().left();
    assert.deepEqual(told, ["CLOSED"]);
  });

  test("frame that a listener leaves has the outcome", () => {
    const progress = open();
    progress.note({ status: "SUCCESS_ENROLLMENT" });
    progress.left();
    progress.ended({ status: "SUCCESS_ENROLLMENT" });
    assert.deepEqual(told, ["SUCCESS_ENROLLMENT"]);
  });

  test("done without an outcome is closed", () => {
    const progress = open();
    progress.ready();
    progress.done();
    assert.deepEqual(told, ["CLOSED"]);
  });

  test("stopped progress settles nothing", () => {
    const progress = open();
    progress.stop();
    progress.left();
    mock.timers.tick(60_000);
    assert.deepEqual(told, []);
  });
});
