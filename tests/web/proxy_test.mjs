// proxy_test.mjs --program RINGSIDE
//
// The documented nginx set-up (docs/proxy/nginx.conf) in front of a real host: a page over https, its
// WebSocket over wss, and clients' own addresses behind it.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Host, browserOptions, eventually } from "./host.mjs";

const { chromium } = createRequire(new URL("../../net/web/", import.meta.url))("playwright-core");
const { values } = parseArgs({ options: { program: { type: "string" } } });

const folder = mkdtempSync(join(tmpdir(), "ringside-proxy-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                         "-subj", "/CN=localhost", "-keyout", join(folder, "key.pem"),
                         "-out", join(folder, "certificate.pem")], { stdio: "ignore" });

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

// The proxy has an address of its own here, so that its clients' can be told from it.
const proxyAddress = "127.0.0.5";
const host = await Host.start(values.program, ["--trust-proxy", proxyAddress]);
const port = await freePort();
const site = readFileSync(new URL("../../docs/proxy/nginx.conf", import.meta.url), "utf8")
  .replace("server 127.0.0.1:8766;", `server 127.0.0.1:${host.port};`)
  .replace("listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`)
  .replace("proxy_pass http://ringside;", `proxy_pass http://ringside; proxy_bind ${proxyAddress};`)
  .replace(/ssl_certificate +\S+;/, `ssl_certificate ${join(folder, "certificate.pem")};`)
  .replace(/ssl_certificate_key +\S+;/, `ssl_certificate_key ${join(folder, "key.pem")};`);
const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
  .map((name) => `${name}_temp_path ${join(folder, name)};`).join("\n");
writeFileSync(join(folder, "nginx.conf"), `daemon off;\nuser root;\nworker_processes 1;
pid ${join(folder, "pid")};\nerror_log stderr warn;\nevents {}
http {\naccess_log off;\n${temporary}\n${site}\n}\n`);
const nginx = spawn("/usr/sbin/nginx", ["-p", folder, "-c", join(folder, "nginx.conf")],
                    { stdio: ["ignore", "inherit", "inherit"] });
process.on("exit", () => nginx.kill("SIGTERM"));

const browser = await chromium.launch(browserOptions);
try {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    extraHTTPHeaders: { "X-Forwarded-For": "203.0.113.9" }, // a client that lies about itself
  });
  const page = await context.newPage();
  const sockets = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await eventually("nginx", async () => {
    try {
      return (await page.goto(`https://127.0.0.1:${port}/`)).ok();
    } catch {
      return false;
    }
  });
  await page.getByRole("button", { name: "practice" }).click();
  await page.getByRole("button", { name: "I am ready (i)" }).click();
  await eventually("the race", async () =>
    (await page.locator("#status").innerText()) === "1 racing");
  assert.deepEqual(sockets, [`wss://127.0.0.1:${port}/play`]);
  const listed = execFileSync(values.program, ["sessions", "--instance", host.instance, "--json"],
                              { encoding: "utf8" });
  assert.match(listed, /127\.0\.0\.1/);
  assert.doesNotMatch(listed, /203\.0\.113\.9/);
} finally {
  await browser.close();
}
nginx.kill("SIGTERM");
await once(nginx, "exit");
assert.equal(await host.stop(), 0);
console.log("all passed");
process.exit(0);
