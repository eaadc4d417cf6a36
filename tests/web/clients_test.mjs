// clients_test.mjs --program RINGSIDE
//
// WebSocket clients that are not ours, npm's ws and Python's websockets: handshake, messages, pings,
// closes, and what is refused.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Host } from "./host.mjs";

const WebSocket = createRequire(new URL("../../net/web/", import.meta.url))("ws");
const { values } = parseArgs({ options: { program: { type: "string" } } });
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const hello = readFileSync(at("../fuzz/corpus/fuzz_from_client/hello"));

const host = await Host.start(values.program);
const url = `ws://127.0.0.1:${host.port}/play`;

{ // Hello and Welcome, a ping, a close
  const socket = new WebSocket(url, "ringside.v1");
  await once(socket, "open");
  assert.equal(socket.protocol, "ringside.v1");
  socket.send(hello);
  const [welcome, isBinary] = await once(socket, "message");
  assert.ok(isBinary);
  assert.equal(welcome.readUInt32LE(0), welcome.length - 4);
  socket.ping("are you there");
  assert.equal(String((await once(socket, "pong"))[0]), "are you there");
  socket.close(1000, "bye");
  const [code, reason] = await once(socket, "close");
  assert.deepEqual([code, String(reason)], [1000, "bye"]);
}

{ // what is no message, in one frame and in many
  for (const fragments of [1, 4]) {
    const socket = new WebSocket(url, "ringside.v1");
    await once(socket, "open");
    for (let i = 1; i <= fragments; ++i) {
      socket.send(Buffer.from("none"), { fin: i === fragments });
    }
    const [code, reason] = await once(socket, "close");
    assert.equal(code, 4000);
    assert.match(String(reason), /its length first/);
  }
}

{ // who is not let in
  const refused = async (protocol, options) => {
    const socket = new WebSocket(url, protocol, options);
    const [, response] = await once(socket, "unexpected-response");
    return response.statusCode;
  };
  assert.equal(await refused([], {}), 400);
  assert.equal(await refused("chat", {}), 400);
  assert.equal(await refused("ringside.v1", { origin: "http://elsewhere.example" }), 403);
}

const python = spawnSync("/usr/bin/python3", [at("clients_test.py"), url, at("../fuzz/corpus/fuzz_from_client/hello")],
                         { stdio: "inherit", timeout: 60_000 });
assert.equal(python.status, 0);
assert.equal(await host.stop(), 0);
console.log("all passed");
