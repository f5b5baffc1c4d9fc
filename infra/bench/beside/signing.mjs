// Signatures a second of processor time by Mastercard's package of npm.
// Arguments: folder with node_modules, file with the key (PEM), address, seconds. The body is read from standard input.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [packages, keyFile, address, seconds] = process.argv.slice(2);
const OAuth = createRequire(join(resolve(packages), "package.json"))("mastercard-oauth1-signer");
const CONSUMER_KEY = "uLXKmWNmIkzIGKfA2injnNQqpZaxaBSKxa3ixEVu2f283c95!33b9b2bd960147e387fa6f3f238f07170000000000000000";
const key = readFileSync(keyFile, "utf8");
const body = readFileSync(0);

function used(since) {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

function rate(seconds) {
  const start = process.cpuUsage();
  let made = 0;
  while (used(start) < seconds) {
    for (let i = 0; i < 20; i += 1) {
      OAuth.getAuthorizationHeader(address, "POST", body, CONSUMER_KEY, key);
    }
    made += 20;
  }
  return made / used(start);
}

rate(Number(seconds) / 10);
console.log(rate(Number(seconds)));
