// browser_test.mjs --program RINGSIDE --screenshots DIR
//
// Real pages in Debian's Chromium, a real host and a real terminal.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Host, Terminal, browserOptions, eventually } from "./host.mjs";

const { chromium } = createRequire(new URL("../../net/web/", import.meta.url))("playwright-core");

const { values } = parseArgs({
  options: { program: { type: "string" }, screenshots: { type: "string" } },
});
mkdirSync(values.screenshots, { recursive: true });

const desktop = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };

const recordings = mkdtempSync(join(tmpdir(), "ringside-browser-test-"));
process.on("exit", () => rmSync(recordings, { recursive: true, force: true }));
const host = await Host.start(values.program, ["--fronts", "1", "--resume-grace", "30",
                                               "--record-dir", recordings]);
const browser = await chromium.launch(browserOptions);
const problems = [];

async function newPage(options = {}) {
  const context = await browser.newContext({ viewport: desktop, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    // Chromium itself reports a WebSocket that is lost; we kill fronts here.
    if (message.type() === "error" && !message.text().includes("WebSocket connection to")) {
      problems.push(message.text());
    }
  });
  page.setDefaultTimeout(60_000);
  return page;
}

async function picture(page, name) {
  await page.screenshot({ path: join(values.screenshots, `${name}.png`) });
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth,
                                            window.screen.width]);
  assert.ok(widths[0] <= widths[1] && (!name.endsWith("-phone") || widths[1] <= phone.width),
            `${name} is too wide: ${widths}`);
}
const roster = (page) => page.locator(".roster").innerText();
const status = (page) => page.locator("#status").innerText();

/// Returns when the page shows the text; what is only read out does not count.
const shown = (page, text) =>
  page.locator("main:not([hidden])").getByText(text).locator("visible=true").first().waitFor();

/// Bytes of keys the page has sent: of each Input, its only byte.
function sentKeys(page) {
  const keys = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => {
    if (Buffer.isBuffer(payload) && payload.readUInt32LE(0) === payload.length - 4) {
      keys.push(...payload.subarray(4));
    }
  }));
  return keys;
}

async function testFirstPaint() {
  const page = await newPage();
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  let bytes = 0;
  const origins = new Set();
  session.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; });
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) {
      origins.add(new URL(request.url()).origin);
    }
  });
  await page.goto(host.url);
  await shown(page, "No games yet");
  assert.deepEqual([...origins], [host.url]);
  assert.ok(bytes > 0 && bytes <= 100 * 1024, `${bytes} bytes`);
  console.log(`first paint: ${bytes} bytes`);
  await page.context().close();
}

async function testMatch() {
  const first = await newPage();
  await first.addInitScript(() => { // what is written on the canvas
    const { fillText } = CanvasRenderingContext2D.prototype;
    window.written = [];
    CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
      window.written.push(text);
      return fillText.call(this, text, ...where);
    };
  });
  await first.goto(host.url);
  await first.fill("#name", "web-match");
  await first.selectOption("#seats", "3");
  // Where nobody who drives straight on meets the frame within 5 s: slow machines take a while.
  await first.selectOption("#size", { label: "large (120 × 60)" });
  await first.getByRole("button", { name: "create" }).click();
  await shown(first, "waiting for 2 more players");
  assert.equal(new URL(first.url()).pathname, "/g/web-match");

  const second = await newPage({ viewport: phone, hasTouch: true, isMobile: true });
  await second.goto(`${host.url}/g/web-match`);
  await shown(second, "waiting for 1 more player");

  const lobby = await newPage();
  await lobby.goto(host.url);
  await shown(lobby, "2 / 3");
  await shown(lobby, `ringside play -A 127.0.0.1 -P ${host.port} -G name`);
  await picture(lobby, "lobby-desktop");
  await lobby.setViewportSize(phone);
  await picture(lobby, "lobby-phone");
  await lobby.context().close();

  const terminal = Terminal.open(
    `${values.program} play -A 127.0.0.1 -P ${host.port} -G web-match --nick Zoë`);
  await shown(first, "0 of 3 ready");
  await shown(second, "swipe");
  assert.ok(await first.getByText("swipe").isHidden());
  assert.match(await roster(first), /3 Zoë/);
  await picture(first, "ready-desktop");
  await picture(second, "ready-phone");

  const watcher = await newPage();
  await watcher.goto(`${host.url}/g/web-match`); // it is full: the same link watches
  await shown(watcher, "You are watching.");

  await first.keyboard.press("i");
  await second.getByRole("button", { name: "I am ready (i)" }).tap();
  terminal.press("i");
  await eventually("the countdown", async () => /^[123]$| racing$/.test(await status(watcher)));
  await eventually("who is who", () => first.evaluate(() =>
    ["you", "player 2", "Zoë"].every((name) => window.written.includes(name))));
  await picture(first, "countdown-desktop");
  await eventually("the race", async () => (await status(watcher)) === "3 racing");
  await first.keyboard.press("i");
  await shown(first, "-- INSERT --");
  await first.keyboard.press("k");
  await second.getByRole("button", { name: "i: lay a wall" }).tap();
  terminal.press("i");
  await picture(first, "race-desktop");
  await picture(second, "race-phone");

  // A page that is reloaded keeps its seat.
  const seat = /(\d) \S+ \(you\)/.exec(await roster(first))[1];
  await first.reload();
  await eventually("the seat after a reload", async () =>
    (await roster(first)).includes(`${seat} `) && (await roster(first)).includes("(you)"));

  // A front that dies costs nobody a seat.
  process.kill(host.process("front/0"), "SIGKILL");
  for (const page of [first, second, watcher]) {
    await eventually("coming back", async () =>
      await page.locator("#banner").isHidden() && (await page.locator("#ping").innerText()) !== "");
  }
  assert.match(await roster(first), /\(you\)/);
  assert.match(await roster(second), /\(you\)/);
  assert.doesNotMatch(await roster(watcher), /\(you\)/);

  // Everybody drives on until one is left; who goes straight meets the frame.
  for (const page of [first, second, watcher]) {
    await eventually("the end of the match", async () =>
      /won|Nobody/.test(await page.locator(".panel h2").first().innerText()));
  }
  await eventually("the end in the terminal", () => /won|Rematch/.test(terminal.screen()));
  await picture(first, "result-desktop");
  await picture(second, "result-phone");

  await first.getByRole("button", { name: "play again (i)" }).click();
  await shown(first, "1 of 3 ready");
  terminal.press("q");
  for (const page of [first, second, watcher]) {
    await page.getByRole("button", { name: "back to the lobby" }).first().click();
    await page.getByRole("heading", { name: "New game" }).waitFor();
  }
  await shown(first, "No games yet"); // everybody has left
  for (const page of [first, second, watcher]) {
    await page.context().close();
  }
}

async function testTouch() {
  const page = await newPage({ viewport: phone, hasTouch: true, isMobile: true });
  const keys = sentKeys(page);
  await page.goto(host.url);
  await page.getByRole("button", { name: "practice" }).tap();
  await page.getByRole("button", { name: "I am ready (i)" }).tap();
  await eventually("the race", async () => (await status(page)) === "1 racing");
  const swipe = async (x, y) => {
    const session = await page.context().newCDPSession(page);
    const at = { x: 195, y: 400 };
    await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at] });
    for (let part = 1; part <= 5; ++part) {
      await session.send("Input.dispatchTouchEvent", {
        type: "touchMove", touchPoints: [{ x: at.x + x * part / 5, y: at.y + y * part / 5 }] });
    }
    await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  };
  // The wide arena is turned on an upright phone: what is its right is at the bottom.
  for (const [x, y, key] of [[-80, 0, "j"], [0, -80, "h"], [80, 0, "k"], [0, 80, "l"]]) {
    const before = keys.filter((byte) => byte === key.charCodeAt(0)).length;
    await swipe(x, y);
    await eventually(`a swipe sends ${key}`, () =>
      keys.filter((byte) => byte === key.charCodeAt(0)).length > before);
  }
  await page.getByRole("button", { name: "back to the lobby" }).first().tap();
  await page.context().close();
}

async function testRefusals() {
  const page = await newPage();
  await page.goto(`${host.url}/g/nobody-made-this`);
  await shown(page, "There is no game of that name.");
  await page.goto(host.url);
  await page.fill("#name", "not a name");
  await page.getByRole("button", { name: "create" }).click();
  await shown(page, "A name is 1 to 47 letters");
  await page.fill("#name", "secret-game");
  await page.fill("#password", "xyzzy");
  await page.getByRole("button", { name: "create" }).click();
  await shown(page, "waiting for 1 more player");
  const friend = await newPage();
  await friend.goto(`${host.url}/g/secret-game`);
  await shown(friend, "This game has a password.");
  await friend.fill("#game-password", "wrong");
  await friend.getByRole("button", { name: "enter" }).click();
  await shown(friend, "That is not the game's password.");
  await friend.fill("#game-password", "xyzzy");
  await friend.getByRole("button", { name: "enter" }).click();
  await shown(friend, "0 of 2 ready");
  await friend.context().close();
  await page.context().close();
}

async function testBots() {
  const page = await newPage();
  await page.goto(host.url);
  await page.fill("#nickname", "Anna <b>");
  await page.fill("#name", "with-bots");
  await page.selectOption("#seats", "3");
  await page.selectOption("#size", { label: "small (40 × 22)" });
  await page.getByRole("button", { name: "create" }).click();
  await page.getByRole("button", { name: "add a bot (b)" }).click();
  await shown(page, "waiting for 1 more player");
  await page.keyboard.press("b");
  await shown(page, "2 of 3 ready");
  await page.keyboard.press("x");
  await shown(page, "waiting for 1 more player");
  await page.keyboard.press("b");
  await shown(page, "2 of 3 ready");
  assert.equal((await roster(page)).match(/\(bot\)/g).length, 2);
  await botsFromTheLobby();
  assert.match(await roster(page), /1 Anna <b> \(you\)/);
  await picture(page, "bots-desktop");
  await page.keyboard.press("i");
  await eventually("the race", async () => (await status(page)) === "3 racing");
  await eventually("the end of the match", async () =>
    /won|Nobody/.test(await page.locator(".panel h2").first().innerText()), 180_000);

  // The host has recorded it, and says so; the result is the same there.
  const result = await page.locator(".panel h2").first().innerText();
  const [replay] = await Promise.all([page.context().waitForEvent("page"),
                                      page.getByText("watch the replay").click()]);
  await watchReplay(replay, result);
  assert.match(await roster(replay), /1 Anna <b>/); // there, too
  await picture(replay, "replay-desktop");
  await replay.setViewportSize(phone);
  await picture(replay, "replay-phone");
  await page.context().close();
}

/// A game that is made with bots, and one whose free seats they take beside who joins it.
async function botsFromTheLobby() {
  const maker = await newPage();
  await maker.goto(host.url);
  await maker.fill("#name", "made-with-bots");
  await maker.selectOption("#seats", "5");
  await maker.selectOption("#bots", "4");
  await maker.selectOption("#seats", "4"); // and then there is no room for four
  assert.equal(await maker.locator("#bots").inputValue(), "3");
  await maker.selectOption("#bots", "1");
  await maker.getByRole("button", { name: "create" }).click();
  await shown(maker, "waiting for 2 more players");
  assert.equal((await roster(maker)).match(/\(bot\)/g).length, 1);
  const friend = await newPage();
  await friend.goto(host.url);
  await friend.getByRole("button", { name: "join made-with-bots, and bots" }).click();
  await shown(friend, "2 of 4 ready");
  assert.equal((await roster(friend)).match(/\(bot\)/g).length, 2);
  await friend.context().close();
  await maker.context().close();
}

/// To its end, by the place it is at; then a step back, and on from there.
async function watchReplay(page, result) {
  const place = async () => Number((await page.locator("#replay-place").innerText()).slice(5));
  await page.locator("#replay-bar").waitFor();
  const begin = await place();
  await eventually("the replay goes on by itself", async () => await place() > begin);
  const last = Number(await page.locator("#replay-position").getAttribute("max"));
  await page.locator("#replay-position").fill(String(last));
  assert.equal(await page.locator(".panel h2").first().innerText(), result);
  const end = await place();
  await page.getByRole("button", { name: "one step back" }).click();
  assert.equal(await place(), end - 1);
  assert.equal(await page.locator("#replay-pause").innerText(), "play");
  await page.locator("#replay-pause").click();
  await eventually("the end again", async () => await place() === end);
}

async function testReplayFiles() {
  const file = readdirSync(recordings).find((name) => name.startsWith("with-bots."));
  const page = await newPage();
  await page.goto(host.url);
  await page.locator("#replay-file").setInputFiles(join(recordings, file));
  await shown(page, "with-bots (replay)");
  await page.locator("#replay-bar").waitFor();
  await page.keyboard.press("Space");
  assert.equal(await page.locator("#replay-pause").innerText(), "play");
  await page.goBack();
  await shown(page, "New game");
  assert.ok(await page.locator("#replay-bar").isHidden());

  const none = join(recordings, "none.txt");
  writeFileSync(none, "this is not a recording, but it is longer than one entry's prefix");
  await page.locator("#replay-file").setInputFiles(none);
  await shown(page, "This is not a recorded match.");
  await page.context().close();
}

/// In the page: where cycles are drawn, as parts of the arena, and when; and when messages come.
function recordDrawing() {
  const { translate } = CanvasRenderingContext2D.prototype;
  const now = performance.now.bind(performance);
  let askedMs = 0; // when the page thinks it draws
  performance.now = () => (askedMs = now());
  window.drawn = [];
  window.came = [];
  CanvasRenderingContext2D.prototype.translate = function (x, y) {
    const { width, height } = this.canvas.style;
    window.drawn.push({ ms: askedMs, x: x / parseFloat(width), y: y / parseFloat(height),
                        racing: document.getElementById("status").textContent === "1 racing" });
    return translate.call(this, x, y);
  };
  window.WebSocket = class extends WebSocket {
    constructor(...all) {
      super(...all);
      this.addEventListener("message", ({ data }) =>
        window.came.push({ ms: now(), bytes: data.byteLength }));
    }
  };
}

/// How far a cycle was drawn from where it was drawn before, in cells.
const cellsBetween = (one, other, { width, height }) =>
  [Math.abs(one.x - other.x) * width, Math.abs(one.y - other.y) * height];

// For who has no mouse, and wants nothing to move that need not.
async function testByKeyboard() {
  const page = await newPage({ reducedMotion: "reduce" });
  await page.addInitScript(recordDrawing);
  await page.goto(host.url);
  await eventually("the way to the button", async () => {
    await page.keyboard.press("Tab");
    return await page.evaluate(() => document.activeElement.id) === "practice";
  });
  await page.keyboard.press("Enter");
  await shown(page, "I am ready (i)");
  await page.keyboard.press("i");
  await eventually("the end of the race, read out", async () => (await status(page)) === "Game over");
  const drawn = await page.evaluate(() => window.drawn.filter((each) => each.racing));
  const steps = drawn.slice(1).map((each, index) =>
    cellsBetween(each, drawn[index], { width: 80, height: 22 }).reduce((x, y) => x + y));
  assert.ok(steps.some((cells) => cells > 0.5), "the cycle drives");
  assert.ok(steps.every((cells) => Math.abs(cells - Math.round(cells)) < 1e-3), "from cell to cell");
  await page.keyboard.press("q");
  await shown(page, "New game");
  await page.context().close();
}

// Views come late, early and several at once; what is drawn goes on evenly. (That it always does,
// whatever the network and however slow the machine: round_trip_test.mjs.)
async function testBadNetwork() {
  const far = await Host.start(values.program,
                               ["--simulate", "delay=80ms,jitter=20ms,stall=2%"]);
  const page = await newPage();
  await page.addInitScript(recordDrawing);
  await page.goto(far.url);
  await page.selectOption("#size", { label: "large (120 × 60)" });
  await page.getByRole("button", { name: "practice" }).click();
  const tickMs = 100;
  const speedMax = 2; // cells a tick; see motion.ts
  const pauseMs = 600; // longer than this network's stalls: the machine's
  const deltaBytesMax = 120; // more: a whole view, because a tick was missed
  let drawings = 0;
  let cells = 0;
  let between = 0; // drawings
  let hurries = 0; // faster than a cycle drives: what came late is caught up with
  let jumps = 0;
  let excuses = 0; // pauses of the page or the host, ticks missed
  for (let races = 0; cells < 30 || hurries === 0; ++races) {
    assert.ok(races < 20, `${cells} cells and ${hurries} faster than even in ${races} races`);
    await page.getByRole("button", { name: "(i)" }).click(); // ready, or once more
    await eventually("the race", async () => (await status(page)) === "1 racing");
    await page.evaluate(() => { window.drawn = []; window.came = []; });
    for (const key of ["j", "l", "k", "l"]) {
      await page.keyboard.press(key);
      await page.waitForTimeout(300); // for the eye; a slow machine turns later, or is at the frame
    }
    await eventually("the end", async () =>
      await page.locator(".panel h2").first().innerText() === "Game over");
    const { drawn, came } = await page.evaluate(() => ({ drawn: window.drawn, came: window.came }));
    drawings += drawn.length;
    for (let i = 1; i < drawn.length; ++i) {
      const [x, y] = cellsBetween(drawn[i], drawn[i - 1], { width: 120, height: 60 });
      const elapsedMs = drawn[i].ms - drawn[i - 1].ms;
      cells += x + y;
      between += Math.min(x, y) < 1e-6 && Math.abs((x + y) - Math.round(x + y)) > 1e-3 ? 1 : 0;
      hurries += x + y > 1e-6 && x + y > 1.001 * elapsedMs / tickMs ? 1 : 0;
      jumps += x + y > speedMax * elapsedMs / tickMs + 0.01 ? 1 : 0;
      excuses += elapsedMs > pauseMs ? 1 : 0;
    }
    for (let i = 1; i < came.length; ++i) {
      excuses += came[i].ms - came[i - 1].ms > pauseMs || came[i].bytes > deltaBytesMax ? 1 : 0;
    }
  }
  console.log(`bad network: ${drawings} drawings, ${cells.toFixed(1)} cells, ` +
              `${hurries} faster than even, ${jumps} jumps, ${excuses} pauses`);
  assert.ok(between > cells / 4, "the cycle is drawn between its cells");
  assert.ok(jumps <= excuses, `${jumps} jumps, ${excuses} pauses`);
  await page.context().close();
  assert.equal(await far.stop(), 0);
}

try {
  await testFirstPaint();
  await testBots();
  await testReplayFiles();
  await testRefusals();
  await testTouch();
  await testByKeyboard();
  await testBadNetwork();
  await testMatch();
  assert.deepEqual(problems, []);
} finally {
  await browser.close();
}
assert.equal(await host.stop(), 0);
console.log("all passed");
