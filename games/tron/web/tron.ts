// The tron game in a browser: its arena, the panels over it, keys and touch.

import type { GameView, GameViewHost, GameViewType } from "@net/game_view";
import { button, element } from "@net/dom";
import { Arena } from "./arena";
import { lookOf } from "./palette";
import { type Cycle, CycleState, Phase, type View, applyDelta, decodeSeats, decodeView, encodeConfig,
         seatsLimit } from "./view";

// The bytes that tron's rules know: vim's keys.
const Key = { left: 104, down: 106, up: 107, right: 108, insert: 105, escape: 27 } as const;

const keys: Record<string, number> = {
  h: Key.left, a: Key.left, ArrowLeft: Key.left,
  j: Key.down, s: Key.down, ArrowDown: Key.down,
  k: Key.up, w: Key.up, ArrowUp: Key.up,
  l: Key.right, d: Key.right, ArrowRight: Key.right,
  i: Key.insert, Escape: Key.escape,
};

const swipePixels = 24;
const botMarker = 0xfe; // of an input: a bot takes a seat, or leaves one

class TronView implements GameView {
  private readonly arena = new Arena();
  private readonly panel = element("section", { className: "panel" });
  private readonly digit = element("div", { className: "digit", ariaHidden: "true" });
  private readonly mode = element("output", { className: "mode" });
  private readonly roster = element("ul", { className: "roster", ariaLabel: "players" });
  private readonly insertButton = button("insert", () => this.toggleInsert());
  private readonly touchBar = element("div", { className: "touch" }, this.insertButton);

  private current: View | undefined;
  private nicknames = new Map<number, string>(); // by seat
  private phaseShown: Phase | undefined;
  private seats = 1;
  private ownNumber = 0;
  private announced = "";
  private panelText = "";
  private swipe: { id: number; x: number; y: number } | undefined;

  private readonly onKey = (event: KeyboardEvent) => this.key(event);

  constructor(private readonly root: HTMLElement, private readonly host: GameViewHost) {
    root.append(this.roster, this.arena.element, this.mode, this.touchBar);
    this.arena.element.append(this.panel, this.digit);
    window.addEventListener("keydown", this.onKey);
    const area = this.arena.element;
    area.addEventListener("pointerdown", (event) => this.swipeBegins(event));
    area.addEventListener("pointermove", (event) => this.swipeGoesOn(event));
    area.addEventListener("pointerup", () => { this.swipe = undefined; });
    area.addEventListener("pointercancel", () => { this.swipe = undefined; });
  }

  close(): void {
    window.removeEventListener("keydown", this.onKey);
    this.arena.close();
    this.root.replaceChildren();
  }

  players(nicknames: Map<number, string>): void {
    this.nicknames = nicknames;
    this.arena.players(nicknames);
    if (this.current !== undefined) {
      this.show(this.current, false);
    }
  }

  private nameOf(number: number): string {
    return this.nicknames.get(number - 1) ?? "";
  }

  enter(seat: number | undefined, tickMs: number, config: Uint8Array): void {
    this.ownNumber = seat === undefined ? 0 : seat + 1;
    this.seats = decodeSeats(config);
    this.arena.enter(this.ownNumber, tickMs);
    this.root.classList.toggle("watching", this.ownNumber === 0);
  }

  view(bytes: Uint8Array, shown = true): boolean {
    const view = decodeView(bytes);
    if (view === undefined) {
      return false;
    }
    const continuous = this.current?.phase === Phase.started && view.phase === Phase.started;
    this.current = view;
    if (shown) {
      this.show(view, continuous);
    }
    return true;
  }

  delta(bytes: Uint8Array, shown = true): boolean {
    if (this.current === undefined || !applyDelta(bytes, this.current)) {
      return false;
    }
    if (shown) {
      this.show(this.current, true);
    }
    return true;
  }

  // ---- what is shown ---------------------------------------------------------------------------

  private own(): Cycle | undefined {
    return this.current?.cycles.find((cycle) => cycle.number === this.ownNumber);
  }

  private show(view: View, continuous: boolean): void {
    this.arena.show(view, continuous);
    this.showRoster(view);
    this.showPanel(view);
    const digit = view.phase === Phase.countdown && view.count > 0 ? String(view.count) : "";
    if (this.digit.textContent !== digit) {
      this.digit.textContent = digit;
    }
    const inserting = view.phase === Phase.started && this.own()?.state === CycleState.inserting;
    const mode = inserting ? "-- INSERT --" : "";
    if (this.mode.textContent !== mode) {
      this.mode.textContent = mode;
    }
    this.insertButton.textContent = this.insertLabel(view, inserting);
    this.insertButton.classList.toggle("on", inserting || this.own()?.ready === true);
    this.announce(view);
    if (view.phase === Phase.finished && this.phaseShown === Phase.started) {
      this.host.matchOver();
    }
    this.phaseShown = view.phase;
  }

  private insertLabel(view: View, inserting: boolean): string {
    if (view.phase === Phase.started) {
      return inserting ? "esc: stop the wall" : "i: lay a wall";
    }
    return this.own()?.ready ? "esc: not ready" : "i: ready";
  }

  private showRoster(view: View): void {
    const wanted = view.cycles.map((cycle) => {
      const look = lookOf(cycle.number);
      const own = cycle.number === this.ownNumber;
      const who = own ? " (you)" : isBot(view, cycle.number) ? " (bot)" : "";
      const name = this.nameOf(cycle.number) || look.name;
      return { look, text: `${cycle.number} ${name}${who}${standing(view, cycle)}`,
               own };
    });
    const text = wanted.map((each) => each.text).join("|");
    if (this.roster.dataset["text"] === text) {
      return;
    }
    this.roster.dataset["text"] = text;
    this.roster.replaceChildren(...wanted.map(({ look, text, own }) => {
      const item = element("li", { className: own ? "own" : "" }, text);
      item.style.setProperty("--colour", look.colour);
      return item;
    }));
  }

  private showPanel(view: View): void {
    const between = view.phase !== Phase.started && view.phase !== Phase.countdown;
    this.panel.hidden = !between;
    if (!between) {
      this.panelText = "";
      return;
    }
    const lines = this.panelLines(view);
    const text = `${view.bots} ${lines.map((line) => line.textContent).join("|")}`;
    if (text !== this.panelText) { // rebuilt only then: a button keeps the keyboard's focus
      this.panelText = text;
      this.panel.replaceChildren(...lines);
    }
  }

  private panelLines(view: View): HTMLElement[] {
    const first = view.phase === Phase.waiting;
    const own = this.own();
    const lines: HTMLElement[] = [element("h2", {}, first ? "Ready?" : this.result(view))];
    if (first && own !== undefined) {
      lines.push(lesson());
    }
    if (this.seats > 1) {
      const ready = view.cycles.filter((cycle) => cycle.ready).length;
      const missing = Math.max(0, this.seats - view.cycles.length);
      lines.push(element("p", {}, missing > 0
        ? `waiting for ${missing} more player${missing === 1 ? "" : "s"}`
        : `${ready} of ${view.cycles.length} ready`));
    }
    if (own !== undefined && this.seats > 1) {
      const more = button("add a bot (b)", () => this.askForBot(true));
      const fewer = button("take one out (x)", () => this.askForBot(false));
      more.disabled = view.cycles.length >= this.seats;
      fewer.disabled = view.bots === 0;
      lines.push(element("p", { className: "bots" }, more, fewer));
    }
    if (own === undefined) {
      lines.push(element("p", {}, "You are watching."));
    } else if (own.ready) {
      lines.push(element("p", { className: "strong" }, "You are ready."),
                 button("not yet (esc)", () => this.press(Key.escape)));
    } else {
      lines.push(button(first ? "I am ready (i)" : "play again (i)", () => this.press(Key.insert),
                        "primary"));
    }
    return lines;
  }

  private result(view: View): string {
    const winner = view.cycles.find((cycle) => cycle.state === CycleState.winner);
    if (this.seats === 1) {
      return "Game over";
    }
    if (winner === undefined) {
      return view.phase === Phase.finished ? "Nobody won" : "Rematch?";
    }
    return winner.number === this.ownNumber
      ? "You won!"
      : `${this.nameOf(winner.number) || `Player ${winner.number}`} (${lookOf(winner.number).name}) won`;
  }

  /// For those who do not see the arena: what has changed, in words, once.
  private announce(view: View): void {
    const own = this.own();
    let text = "";
    if (view.phase === Phase.countdown) {
      text = view.count > 0 ? String(view.count) : "";
    } else if (view.phase === Phase.started) {
      const alive = view.cycles.filter((cycle) => cycle.state === CycleState.racing ||
                                                  cycle.state === CycleState.inserting).length;
      const gone = own !== undefined && (own.state === CycleState.dead ||
                                         own.state === CycleState.exploding);
      text = `${gone ? "You have crashed. " : ""}${alive} racing`;
    } else if (view.phase === Phase.finished) {
      text = this.result(view);
    } else {
      text = `${view.cycles.length} of ${this.seats} players`;
    }
    if (text !== "" && text !== this.announced) {
      this.announced = text;
      this.host.announce(text);
    }
  }

  // ---- keys and touch --------------------------------------------------------------------------

  private press(key: number): void {
    if (this.ownNumber !== 0) {
      this.host.send(Uint8Array.of(key));
    }
  }

  askForBots(count: number): void {
    for (let asked = 0; asked < count; ++asked) {
      this.askForBot(true);
    }
  }

  private askForBot(more: boolean): void {
    if (this.ownNumber !== 0) {
      this.host.send(Uint8Array.of(botMarker, more ? 1 : 0));
    }
  }

  private toggleInsert(): void {
    const own = this.own();
    const on = this.current?.phase === Phase.started
      ? own?.state === CycleState.inserting : own?.ready === true;
    this.press(on ? Key.escape : Key.insert);
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement | null;
    const typing = target !== null && /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
    if (typing || event.altKey || event.metaKey || event.repeat) {
      return;
    }
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey) {
      if (name === "[" || name === "c") { // vim's other ways out of insert mode
        event.preventDefault();
        this.press(Key.escape);
      }
      return;
    }
    if (name === "q") {
      event.preventDefault();
      this.host.quit();
      return;
    }
    if (name === "b" || name === "x") {
      this.askForBot(name === "b");
      return;
    }
    const key = keys[name];
    if (key !== undefined) {
      event.preventDefault(); // arrows would scroll
      this.press(key);
    }
  }

  private swipeBegins(event: PointerEvent): void {
    if ((event.target as HTMLElement).closest("button") === null) {
      this.swipe = { id: event.pointerId, x: event.clientX, y: event.clientY };
    }
  }

  /// Turns as soon as the finger has gone far enough, and again when it goes on another way.
  private swipeGoesOn(event: PointerEvent): void {
    if (this.swipe === undefined || event.pointerId !== this.swipe.id) {
      return;
    }
    const x = event.clientX - this.swipe.x;
    const y = event.clientY - this.swipe.y;
    if (Math.max(Math.abs(x), Math.abs(y)) < swipePixels) {
      return;
    }
    this.swipe = { id: event.pointerId, x: event.clientX, y: event.clientY };
    const clockwise = [Key.up, Key.right, Key.down, Key.left];
    const onScreen = Math.abs(x) > Math.abs(y) ? (x > 0 ? 1 : 3) : (y > 0 ? 2 : 0);
    this.press(clockwise[(onScreen - this.arena.turned + 4) % 4]!);
  }
}

function isBot(view: View, number: number): boolean {
  return ((view.bots >> (number - 1)) & 1) !== 0;
}

function standing(view: View, cycle: Cycle): string {
  if (view.phase !== Phase.started && view.phase !== Phase.countdown) {
    return cycle.state === CycleState.winner ? ", winner" : cycle.ready ? ", ready" : "";
  }
  return cycle.state === CycleState.dead || cycle.state === CycleState.exploding ? ", out" : "";
}

function lesson(): HTMLElement {
  const key = (name: string) => element("kbd", {}, name);
  const cross = element("div", { className: "keys" });
  for (const [name, arrow] of [["k", "↑"], ["h", "←"], ["j", "↓"], ["l", "→"]] as const) {
    cross.append(element("span", { className: `key-${name}` }, key(name), arrow));
  }
  return element("div", { className: "lesson" }, cross, element("dl", {},
    element("dt", {}, key("i")), element("dd", {}, "insert: lay a wall behind you"),
    element("dt", {}, key("esc")), element("dd", {}, "stop laying"),
    element("dt", { className: "by-touch" }, "swipe"),
    element("dd", { className: "by-touch" }, "turn"),
    element("dt", {}, key("q")), element("dd", {}, "quit"),
    element("dt", {}), element("dd", {}, "arrows and WASD steer, too")));
}

const size = (label: string, width: number, height: number) => ({
  label: `${label} (${width} × ${height})`,
  config: (seats: number) => encodeConfig({ width, height, seats }),
});

export const tronViewType: GameViewType = {
  name: "tron",
  seatsMax: seatsLimit,
  sizes: [size("classic", 80, 22), size("small", 40, 22), size("square", 48, 40),
          size("tall", 36, 56), size("large", 120, 60)],
  open: (root, host) => new TronView(root, host),
};
