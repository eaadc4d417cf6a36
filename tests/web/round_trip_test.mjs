// round_trip_test.mjs --root DIR --generated DIR --peer PROGRAM
//
// What C++ writes TypeScript reads, and the other way: views and deltas of a match of bots, every
// message of the web client, configs. And what the client's link says to a host that loses
// connections, is overtaken and gives up seats: the real Link, between a host and a browser of cardboard.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { root: { type: "string" }, generated: { type: "string" }, peer: { type: "string" } },
});
const root = resolve(values.root);
const web = join(root, "net/web");
const esbuild = createRequire(join(web, "package.json"))("esbuild");

/// What the module of that path exports, with what it imports.
async function load(path) {
  const result = await esbuild.build({
    stdin: { contents: `export * from ${JSON.stringify(join(root, path))};
                        export * as wire from ${JSON.stringify(join(web, "src/wire"))};
                        export * as flatbuffers from "flatbuffers";`, resolveDir: web },
    bundle: true, format: "esm", write: false, nodePaths: [join(web, "node_modules")],
    alias: { "@wire": join(resolve(values.generated), "ringside/wire"),
             "@tron": join(resolve(values.generated), "ringside/tron/schema"),
             "@net": join(web, "src") },
  });
  const code = Buffer.from(result.outputFiles[0].contents).toString("base64");
  return import(`data:text/javascript;base64,${code}`);
}

const hexOf = (bytes) => Buffer.from(bytes).toString("hex");
const bytesOf = (hex) => new Uint8Array(Buffer.from(hex, "hex"));

/// What C++ reads from lines.
function readByPeer(lines) {
  const output = execFileSync(values.peer, ["messages"], { input: `${lines.join("\n")}\n`, encoding: "utf8" });
  return output.trim().split("\n").map((line) => JSON.parse(line));
}

// ---- motion ------------------------------------------------------------------------------------

let random = 12345;
const below = (bound) => {
  random = (Math.imul(random, 1103515245) + 12345) >>> 0;
  return (random >>> 8) % bound;
};

// Views come in order, at any time, and are drawn at any time: a cycle stays on the way it has driven,
// is never faster than twice its speed, and arrives. Only one far behind is shown where it is.
const { Motion } = await load("games/tron/web/motion.ts");
let drawnBetween = 0;
for (let drive = 0; drive < 500; ++drive) {
  const tickMs = 10 + below(200);
  const way = [{ x: 40, y: 11 }];
  const motion = new Motion(way[0], tickMs);
  let direction = below(4);
  let nowMs = 0;
  let drawn = motion.path(0)[0];
  for (let tick = 1; tick < 60; ++tick) {
    direction = (direction + [0, 0, 0, 1, 3][below(5)]) % 4;
    const [x, y] = [[1, 0], [0, 1], [-1, 0], [0, -1]][direction];
    way.push({ x: way.at(-1).x + x, y: way.at(-1).y + y });
    const evenMs = tick * tickMs;
    const comesMs = Math.max(nowMs, evenMs + below(tickMs) + (below(50) === 0 ? 4 * tickMs : 0));
    while (nowMs < comesMs) {
      const elapsedMs = Math.min(comesMs - nowMs, 1 + below(40));
      nowMs += elapsedMs;
      const [next] = motion.path(nowMs);
      const far = Math.abs(next.x - drawn.x) + Math.abs(next.y - drawn.y);
      assert.ok(far <= 2 * elapsedMs / tickMs + 1e-9, `${far} cells in ${elapsedMs / tickMs} ticks`);
      const isBetween = Math.abs(next.x % 1) + Math.abs(next.y % 1) > 1e-9;
      assert.ok(way.slice(-12).some((cell, index, last) => {
        const before = last[Math.max(0, index - 1)];
        const onX = next.y === cell.y && (next.x - cell.x) * (next.x - before.x) <= 1e-9;
        const onY = next.x === cell.x && (next.y - cell.y) * (next.y - before.y) <= 1e-9;
        return onX || onY;
      }), `${JSON.stringify(next)} is not on ${JSON.stringify(way.slice(-12))}`);
      drawnBetween += isBetween ? 1 : 0;
      drawn = next;
    }
    motion.goTo(way.at(-1), nowMs);
    const [still] = motion.path(nowMs);
    assert.ok(Math.abs(still.x - drawn.x) + Math.abs(still.y - drawn.y) < 1e-9, "a view moves nothing");
  }
  assert.deepEqual(motion.path(nowMs + 10 * tickMs), [way.at(-1)]);
  motion.goTo({ x: 0, y: 0 }, nowMs); // views were missed
  assert.deepEqual(motion.path(nowMs), [{ x: 0, y: 0 }]);
}
assert.ok(drawnBetween > 10_000);
console.log(`${drawnBetween} drawings between cells`);

// ---- views -------------------------------------------------------------------------------------

const tron = await load("games/tron/web/view.ts");

const ticks = execFileSync(values.peer, ["views"], { encoding: "utf8", maxBuffer: 1 << 28 })
  .trim().split("\n").map((line) => JSON.parse(line));
let deltas = 0;
let current;
for (const { view, delta, seen } of ticks) {
  assert.deepEqual(tron.decodeView(bytesOf(view)), seen);
  if (delta !== "") {
    ++deltas;
    assert.ok(tron.applyDelta(bytesOf(delta), current));
    assert.deepEqual(current, seen);
  }
  current = tron.decodeView(bytesOf(view));
}
assert.ok(deltas > ticks.length / 2, `${deltas} deltas in ${ticks.length} ticks`);
assert.ok(ticks.some(({ seen }) => seen.cycles.some((cycle) => cycle.walls.length > 20)));
console.log(`${ticks.length} views, ${deltas} deltas`);

// Damaged bytes give a view of plain values or none, and never an endless loop.
for (let round = 0; round < 20_000; ++round) {
  const { view, delta, seen } = ticks[below(ticks.length)];
  const damaged = bytesOf(view).slice(0, below(4) === 0 ? below(view.length / 2) : undefined);
  for (let changes = below(6); changes > 0 && damaged.length > 0; --changes) {
    damaged[below(damaged.length)] = below(256);
  }
  const read = tron.decodeView(damaged);
  if (read !== undefined) {
    assert.ok(read.cycles.length <= 6);
    assert.ok(read.cycles.every(({ walls }) => walls.length <= 16390));
  }
  const wrong = bytesOf(delta);
  for (let changes = below(6); changes > 0 && wrong.length > 0; --changes) {
    wrong[below(wrong.length)] = below(256);
  }
  tron.applyDelta(wrong, structuredClone(seen));
}

const configs = [{ width: 80, height: 22, seats: 1 }, { width: 36, height: 56, seats: 6 }];
assert.deepEqual(readByPeer(configs.map((config) => `config ${hexOf(tron.encodeConfig(config))}`)), configs);
for (const config of configs) {
  assert.equal(tron.decodeSeats(tron.encodeConfig(config)), config.seats);
}

// ---- the link ----------------------------------------------------------------------------------

const { Link, wire, flatbuffers } = await load("net/web/src/link.ts");

const timers = [];
const storage = new Map();
Object.assign(globalThis, {
  window: {
    setInterval: (run) => { beat = run; return 0; },
    clearInterval: () => {},
    clearTimeout: () => {},
    setTimeout: (run) => timers.push(run),
    addEventListener: () => {},
  },
  document: { addEventListener: () => {}, visibilityState: "visible" },
  sessionStorage: {
    getItem: (key) => storage.get(key) ?? null,
    setItem: (key, value) => storage.set(key, value),
    removeItem: (key) => storage.delete(key),
  },
  WebSocket: class {
    constructor(url, protocol) {
      assert.equal(protocol, "ringside.v1");
      this.url = url;
      socket = this;
    }
    send(bytes) { sent.push(hexOf(bytes)); }
    close() {}
  },
});
let socket;
let beat; // of the newest link: it asks whether the host is there
let sent = [];

/// What was sent since the last call, as C++ reads it.
function said() {
  const lines = sent;
  sent = [];
  return lines.length === 0 ? [] : readByPeer(lines);
}

const types = (messages) => messages.map((message) => message.type);

function hostSays(type, build) {
  const builder = new flatbuffers.Builder(256);
  const message = build(builder);
  builder.finishSizePrefixed(wire.FromHost.createFromHost(builder, type, message));
  socket.onmessage({ data: builder.asUint8Array().slice().buffer });
}

const welcome = (session) => hostSays(wire.HostMessage.Welcome, (builder) => {
  const token = wire.Welcome.createTokenVector(builder, Array(16).fill(session));
  return wire.Welcome.createWelcome(builder, 1, BigInt(session), 1024, 200, token, 10_000);
});

const joined = (game, seat, lastInput) => hostSays(wire.HostMessage.Joined, (builder) => {
  const name = builder.createString(game);
  const type = builder.createString("tron");
  return wire.Joined.createJoined(builder, name, type, seat, 100_000_000n, 0, lastInput);
});

const refused = (reason) => hostSays(wire.HostMessage.Refused, (builder) =>
  wire.Refused.createRefused(builder, reason, 0));

const left = (reason) => hostSays(wire.HostMessage.Left, (builder) =>
  wire.Left.createLeft(builder, reason, 0));

const snapshot = (seat, number) => hostSays(wire.HostMessage.Snapshot, (builder) => {
  const view = wire.Snapshot.createViewVector(builder, [1, 2, 3]);
  wire.Snapshot.startSeatsVector(builder, 1);
  wire.SeatInput.createSeatInput(builder, seat, number);
  const seats = builder.endVector();
  return wire.Snapshot.createSnapshot(builder, 5n, seats, view);
});

/// A link whose host has just said Welcome to it as that session, and what it tells its listener.
function welcomed(session, before = () => {}) {
  const heard = [];
  const listener = new Proxy({}, { get: (_, name) => (...args) => heard.push([name, ...args]) });
  const link = new Link("ws://host/play", listener);
  before(link);
  socket.onopen();
  welcome(session);
  return { link, heard, names: () => heard.splice(0).map(([name]) => name) };
}

function reconnect(link, session) {
  socket.onclose({ code: 1006, reason: "" });
  timers.splice(0).forEach((run) => run());
  socket.onopen();
  welcome(session);
}

{ // every message, read by C++
  const { link, names } = welcomed(1);
  assert.deepEqual(said(), [{ type: "Hello", version: 1, deltas: true }]);
  assert.deepEqual(names(), ["ready"]);
  link.list("pre", "after");
  link.watch("seen", "secret");
  link.leave();
  link.join({ game: "own", type: "tron", mode: wire.JoinMode.create_only,
              config: Uint8Array.of(1, 2), password: "secret", unlisted: true });
  assert.deepEqual(said(), [
    { type: "List", prefix: "pre", after: "after" },
    { type: "Watch", game: "seen", password: "secret" },
    { type: "Leave" },
    { type: "Join", game: "own", gameType: "tron", mode: wire.JoinMode.create_only, config: [1, 2],
      password: "secret", unlisted: true },
  ]);
}

{ // inputs that the game has not applied are sent again, the others are not
  const { link, names } = welcomed(2);
  link.join({ game: "race", mode: wire.JoinMode.join_only });
  joined("race", 3, 0);
  assert.deepEqual(names(), ["ready", "entered"]);
  said();
  [104, 105, 106].forEach((key) => link.input(Uint8Array.of(key)));
  snapshot(3, 1);
  snapshot(2, 3); // another's
  assert.deepEqual(said().map(({ number }) => number), [1, 2, 3]);
  reconnect(link, 3);
  assert.deepEqual(names(), ["view", "view", "lost"]);
  link.input(Uint8Array.of(107)); // before the seat is back
  const back = said();
  assert.deepEqual(types(back), ["Hello", "Resume"]);
  assert.deepEqual(back[1].sessions, ["2"]);
  assert.deepEqual(back[1].tokens, Array(16).fill(2));
  joined("race", 3, 2);
  assert.deepEqual(said().map(({ number, bytes }) => [number, ...bytes]), [[3, 106], [4, 107]]);
  // lost before it hears the answer, again and again: the first stays, the oldest others go
  for (let session = 4; session < 20; ++session) {
    reconnect(link, session);
  }
  const candidates = said().filter(({ type }) => type === "Resume").at(-1).sessions;
  assert.deepEqual(candidates, ["3", "12", "13", "14", "15", "16", "17", "18"]);
}

{ // a reloaded page takes up its seat, and numbers on
  const kept = welcomed(30);
  kept.link.join({ game: "kept", mode: wire.JoinMode.join_only });
  joined("kept", 0, 0);
  said();
  const page = welcomed(31, (link) => assert.ok(link.resumeKept("kept")));
  assert.deepEqual(said().map(({ type, sessions }) => sessions ?? type), ["Hello", ["30"]]);
  joined("kept", 0, 7);
  page.link.input(Uint8Array.of(104));
  assert.deepEqual(said().map(({ number }) => number), [8]);
  page.link.leave();
  assert.equal(welcomed(32).link.resumeKept("kept"), false);
  said();
}

{ // a join that was lost with its connection is asked again when its seat is not there
  const { link, names } = welcomed(40);
  link.join({ game: "lost", mode: wire.JoinMode.join_only });
  reconnect(link, 41);
  assert.deepEqual(types(said()), ["Hello", "Join", "Hello", "Resume"]);
  refused(10);
  assert.deepEqual(types(said()), ["Join"]);
  joined("lost", 1, 0);
  assert.deepEqual(names(), ["ready", "lost", "entered"]);
}

{ // a player who is faster than the host
  const { link, names } = welcomed(50);
  names();
  link.join({ game: "first", mode: wire.JoinMode.join_only });
  link.leave();
  link.join({ game: "second", mode: wire.JoinMode.join_only });
  joined("first", 0, 0); // out of date
  left(1);
  joined("second", 0, 0);
  assert.deepEqual(names(), ["entered"]);
  link.leave();
  link.join({ game: "third", mode: wire.JoinMode.join_only });
  left(2); // the second ended by itself, so its Leave is not answered
  refused(1);
  assert.deepEqual(names(), ["refused"]);
  link.watch("fourth");
  link.leave();
  link.watch("fifth");
  refused(4); // of the fourth, whose Leave is not answered then
  refused(4);
  assert.deepEqual(names(), ["refused"]);
  said();
}

{ // a host that answers no more
  const { names } = welcomed(55);
  names();
  const started = performance.now();
  let clock = started;
  const realNow = performance.now;
  performance.now = () => clock;
  const pong = () => hostSays(wire.HostMessage.Pong, (builder) =>
    wire.Pong.createPong(builder, BigInt(Math.round((clock - 5) * 1000))));
  for (let round = 0; round < 10; ++round) {
    clock += 60_000; // a tab in the background is seldom given its turn
    beat();
    clock += 5;
    pong();
  }
  assert.deepEqual(names(), Array(10).fill("pinged"));
  for (let round = 0; round < 4; ++round) {
    clock += 2000;
    beat();
  }
  assert.deepEqual(names(), []);
  clock += 2000;
  beat();
  assert.deepEqual(names(), ["lost"]);
  performance.now = realNow;
  timers.splice(0);
  said();
}

{ // after some closes there is nothing to come back to
  const { names } = welcomed(60);
  names();
  socket.onclose({ code: 4011, reason: "removed" });
  assert.deepEqual(names(), ["closed"]);
  assert.equal(timers.length, 0);
}

console.log("all passed");
process.exit(0);
