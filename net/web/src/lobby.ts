// The lobby: games as a live list, and the form that makes one.

import { byId, button, element } from "./dom";
import type { GameViewType } from "./game_view";
import type { GameInfo, Link } from "./link";
import { gameNamePattern, madeUpName } from "./names";

const listEveryMs = 1000;
const nicknameKey = "ringside-nickname"; // also for whoever follows a link to a game
const phases = ["waiting", "countdown", "running", "finished"];

export interface NewGame {
  name: string;
  type: GameViewType;
  config: Uint8Array;
  password: string;
  unlisted: boolean;
  bots: number;
}

export interface LobbyListener {
  /// `bots`: that are to take free seats beside the player.
  open(game: string, how: "join" | "watch", bots: number): void;
  create(game: NewGame): void;
  replay(file: File): void;
}

interface Row {
  element: HTMLTableRowElement;
  cells: HTMLTableCellElement[];
  join: HTMLButtonElement;
  joinWithBots: HTMLButtonElement;
  freeSeats: number;
}

export class Lobby {
  private readonly rows = new Map<string, Row>();
  private readonly body = byId<HTMLTableSectionElement>("games");
  private readonly empty = byId("no-games");
  private readonly form = byId<HTMLFormElement>("create");
  private readonly problem = byId("create-problem");
  private page: GameInfo[] = [];
  private timer: number | undefined;

  private readonly nicknameField = byId<HTMLInputElement>("nickname");

  /// What others are to call the player; empty: nothing.
  get nickname(): string {
    return this.nicknameField.value.trim();
  }

  constructor(private readonly types: GameViewType[], private readonly listener: LobbyListener) {
    const type = types[0]!;
    const sizes = byId<HTMLSelectElement>("size");
    sizes.append(...type.sizes.map((size, index) =>
      element("option", { value: String(index) }, size.label)));
    const seats = byId<HTMLSelectElement>("seats");
    for (let count = 1; count <= type.seatsMax; ++count) {
      seats.append(element("option", { value: String(count), selected: count === 2 }, String(count)));
    }
    const offerBots = () => {
      const bots = byId<HTMLSelectElement>("bots");
      const wanted = Math.min(Number(bots.value), Number(seats.value) - 1);
      bots.replaceChildren(...Array.from({ length: Number(seats.value) }, (_, count) =>
        element("option", { value: String(count), selected: count === wanted }, String(count))));
    };
    seats.addEventListener("change", offerBots);
    offerBots();
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(type);
    });
    this.nicknameField.value = localStorage.getItem(nicknameKey) ?? "";
    this.nicknameField.addEventListener("change", () =>
      localStorage.setItem(nicknameKey, this.nickname));
    const replayFile = byId<HTMLInputElement>("replay-file");
    replayFile.addEventListener("change", () => {
      const file = replayFile.files?.[0];
      replayFile.value = ""; // the same one may be opened again
      if (file !== undefined) {
        listener.replay(file);
      }
    });
    byId("practice").addEventListener("click", () => listener.create({
      name: madeUpName(), type, config: type.sizes[Number(sizes.value)]!.config(1), password: "",
      unlisted: true, bots: 0 }));
  }

  show(link: Link): void {
    this.hide();
    const ask = () => {
      if (link.connected && document.visibilityState === "visible") {
        this.page = [];
        link.list("", "");
      }
    };
    ask();
    this.timer = window.setInterval(ask, listEveryMs);
  }

  hide(): void {
    window.clearInterval(this.timer);
    this.timer = undefined;
  }

  /// One page of them; asks for the next.
  take(link: Link, games: GameInfo[], more: boolean): void {
    if (this.timer === undefined) {
      return;
    }
    this.page.push(...games);
    const last = games.at(-1);
    if (more && last !== undefined && this.page.length < 1000) {
      link.list("", last.name);
      return;
    }
    this.update(this.page);
  }

  say(problem: string): void {
    this.problem.textContent = problem;
  }

  sayOfReplay(problem: string): void {
    byId("replay-problem").textContent = problem;
  }

  private submit(type: GameViewType): void {
    const field = (id: string) => byId<HTMLInputElement>(id);
    const name = field("name").value.trim() || madeUpName();
    if (!gameNamePattern.test(name)) {
      this.say("A name is 1 to 47 letters, digits, dots, dashes and underscores, " +
               "and begins with a letter or digit.");
      return;
    }
    this.say("");
    const seats = Number(byId<HTMLSelectElement>("seats").value);
    const size = type.sizes[Number(byId<HTMLSelectElement>("size").value)]!;
    this.listener.create({ name, type, config: size.config(seats), password: field("password").value,
                           unlisted: field("unlisted").checked,
                           bots: Number(byId<HTMLSelectElement>("bots").value) });
  }

  /// Rows stay what they are while their game is there, so that a button keeps the focus.
  private update(games: GameInfo[]): void {
    const names = new Set(games.map((game) => game.name));
    for (const [name, row] of this.rows) {
      if (!names.has(name)) {
        row.element.remove();
        this.rows.delete(name);
      }
    }
    games.forEach((game, index) => {
      const row = this.rows.get(game.name) ?? this.add(game);
      this.fill(row, game);
      if (this.body.children[index] !== row.element) {
        this.body.insertBefore(row.element, this.body.children[index] ?? null);
      }
    });
    this.empty.hidden = games.length > 0;
  }

  private add(game: GameInfo): Row {
    const cells = Array.from({ length: 5 }, () => element("td"));
    const join = button("join", () => this.listener.open(game.name, "join", 0), "primary");
    const joinWithBots = button("+ bots", () =>
      this.listener.open(game.name, "join", row.freeSeats - 1));
    const watch = button("watch", () => this.listener.open(game.name, "watch", 0));
    const known = this.types.some((type) => type.name === game.type);
    const actions = element("td", { className: "actions" },
                            ...(known ? [join, joinWithBots, watch] : ["no view here"]));
    join.setAttribute("aria-label", `join ${game.name}`);
    joinWithBots.setAttribute("aria-label", `join ${game.name}, and bots take the other free seats`);
    joinWithBots.title = "join, and bots take the other free seats";
    watch.setAttribute("aria-label", `watch ${game.name}`);
    const row: Row = { element: element("tr", {}, ...cells, actions), cells, join, joinWithBots,
                       freeSeats: 0 };
    this.rows.set(game.name, row);
    return row;
  }

  private fill(row: Row, game: GameInfo): void {
    const texts = [game.name + (game.password ? " (password)" : ""), phases[game.phase] ?? "unknown",
                   `${game.players} / ${game.seats}`, String(game.spectators), game.size];
    texts.forEach((text, index) => {
      if (row.cells[index]!.textContent !== text) {
        row.cells[index]!.textContent = text;
      }
    });
    row.element.dataset["state"] = phases[game.phase] ?? "unknown";
    row.freeSeats = Math.max(0, game.seats - game.players);
    row.join.disabled = row.freeSeats === 0;
    row.joinWithBots.disabled = row.freeSeats < 2;
  }
}
