// Checks docs/examples as far as compilers are to be had: React and React Native by their own types, Android's Kotlin against
// stubs of the platform. Each compiler has to refuse a fault too, or it would prove nothing.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const HERE = import.meta.dirname;
const EXAMPLES = join(HERE, "../../docs/examples");
const EMBED_TYPES = join(HERE, "../../functions/widget-page/page/embed/types.d.ts");
const WORK = join(HERE, "node_modules/.check");

rmSync(WORK, { recursive: true, force: true });
mkdirSync(WORK, { recursive: true });

typed("react/AddCard.tsx", { jsx: "react-jsx", lib: ["es2022", "dom"] }, [EMBED_TYPES], ["target: box.current", "target: 5"]);
const reactNative = { jsx: "react-native", lib: ["es2022"] };
typed("react-native/CardEnrollment.tsx", reactNative, [], ["nativeEvent.targetUrl", "nativeEvent.target"]);
await addressesOfReactNative();
android(["onReturn(statusIn(next))", "onReturn(next)"]);

/**
 * @param {string} name @param {object} options of the compiler @param {string[]} more files
 * @param {[string, string]} fault text, and what stands there instead
 */
function typed(name, options, more, [right, wrong]) {
  const source = readFileSync(join(EXAMPLES, name), "utf8");
  assert.ok(source.includes(right), `${name} has no ${right}`);
  const good = typescript(source, options, more);
  assert.equal(good.status, 0, `${name}:\n${good.stdout}`);
  assert.notEqual(typescript(source.replace(right, wrong), options, more).status, 0, `a fault in ${name} was accepted`);
  console.log(`${name} has the right types`);
}

/** @param {string} source @param {object} options @param {string[]} more */
function typescript(source, options, more) {
  const file = join(WORK, "Example.tsx");
  writeFileSync(file, source);
  const project = { extends: "../../tsconfig.json", compilerOptions: options, files: [file, ...more] };
  writeFileSync(join(WORK, "tsconfig.json"), JSON.stringify(project));
  return run(process.execPath, [join(HERE, "node_modules/typescript/bin/tsc"), "-p", WORK]);
}

/** Runs the functions of the React Native example that judge messages and addresses. */
async function addressesOfReactNative() {
  const emitted = { jsx: "react-jsx", lib: ["es2022"], noEmit: false, outDir: WORK };
  const built = typescript(readFileSync(join(EXAMPLES, "react-native/CardEnrollment.tsx"), "utf8"), emitted, []);
  assert.equal(built.status, 0, built.stdout);
  const script = readFileSync(join(WORK, "Example.js"), "utf8").replace(/^import .*$/gm, "");
  writeFileSync(join(WORK, "example.mjs"), script);
  const { read, statusIn, originOf, isBelow, placeOf } = await import(pathToFileURL(join(WORK, "example.mjs")).href);

  const ended = { status: "SUCCESS_ENROLLMENT", last4: "0123" };
  assert.deepEqual(read(JSON.stringify({ type: "enrollmentEnded", detail: ended })), ended);
  for (const other of ["", "{", "null", "1", '{"type":"ready","detail":{"status":"x"}}', '{"type":"enrollmentEnded"}']) {
    assert.equal(read(other), undefined, other);
  }
  assert.equal(originOf("https://enroll.example/widget/bank/#s"), "https://enroll.example");
  assert.equal(originOf("https://enroll.example:8443"), "https://enroll.example:8443");
  for (const other of ["https://enroll.example@evil.example/", "javascript:alert(1)", "about:blank", ""]) {
    assert.notEqual(originOf(other), "https://enroll.example", other);
  }
  assert.equal(statusIn("com.example.demobank:/cards?status=SUCCESS_ENROLLMENT"), "SUCCESS_ENROLLMENT");
  assert.equal(statusIn("com.example.demobank:/cards?a=b&status=TOKEN_EXPIRED#x"), "TOKEN_EXPIRED");
  assert.equal(statusIn("com.example.demobank:/cards?mystatus=X"), undefined);
  assert.ok(isBelow("com.example.demobank:/cards?status=X", "com.example.demobank:/cards"));
  assert.ok(!isBelow("com.example.demobank:/cardsharp", "com.example.demobank:/cards"));
  for (const [url, isTopFrame, place] of [
    ["https://enroll.example/widget/bank/#s", true, "here"],
    ["https://check.example/frame", false, "here"],
    ["about:srcdoc", false, "here"],
    ["https://check.example/frame", true, "browser"],
    ["com.example.demobank:/cards?status=X", true, "return"],
    ["com.example.demobank:/cardsharp", true, "nowhere"],
    ["javascript:alert(1)", true, "nowhere"],
  ]) {
    const asked = placeOf({ url, isTopFrame }, "https://enroll.example/widget/bank/#s", "com.example.demobank:/cards");
    assert.equal(asked, place, `${url} ${isTopFrame}`);
  }
  console.log("react-native/CardEnrollment.tsx judges messages and addresses");
}

/** @param {[string, string]} fault */
function android([right, wrong]) {
  const stubs = join(WORK, "stubs");
  const files = readdirSync(join(HERE, "android"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".java"));
  const javac = run("javac", ["-d", stubs, ...files.map((file) => join(HERE, "android", file))]);
  assert.equal(javac.status, 0, `javac: ${javac.error ?? javac.stderr}`);

  const source = readFileSync(join(EXAMPLES, "android/CardEnrollment.kt"), "utf8");
  assert.ok(source.includes(right), `the example has no ${right}`);
  const good = kotlin(source, stubs);
  assert.equal(good.status, 0, `kotlinc: ${good.stderr}`);
  const bad = kotlin(source.replace(right, wrong), stubs);
  assert.match(bad.stderr, /type mismatch/, "a fault in the Kotlin example was accepted");
  console.log("android/CardEnrollment.kt compiles against the stubs");
}

/** @param {string} source @param {string} stubs */
function kotlin(source, stubs) {
  const file = join(WORK, "CardEnrollment.kt");
  writeFileSync(file, source);
  // The package's own script is not executable.
  const compiler = join(HERE, "node_modules/kotlin-compiler/bin/kotlinc");
  return run("bash", [compiler, "-Werror", "-cp", stubs, "-d", join(WORK, "kotlin"), file]);
}

/** @param {string} program @param {string[]} parameters */
function run(program, parameters) {
  return spawnSync(program, parameters, { encoding: "utf8", maxBuffer: 16 * 1024 * 1024 });
}
