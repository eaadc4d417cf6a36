// The page: which of lobby and game is shown, what the address says, and how the connection is.

import { byId } from "./dom";
import type { GameView, GameViewType } from "./game_view";
import { Link, type LinkListener, Refusal } from "./link";
import { Lobby, type NewGame } from "./lobby";
import { Playback } from "./playback";
import { type Recording, readRecording } from "./recording";
import { farewellText, refusalText } from "./reasons";
import { JoinMode } from "./wire";

const gamePath = "/g/";
const replayPath = "/r/";
const replayFilePath = "/replays/";
const replayReadyMs = 1500; // after a match's end: its host has written it then

export class Shell implements LinkListener {
  private readonly link: Link;
  private readonly lobby: Lobby;
  private readonly lobbyElement = byId("lobby");
  private readonly gameElement = byId("game");
  private readonly stage = byId("stage");
  private readonly title = byId("game-name");
  private readonly message = byId("message");
  private readonly status = byId("status");
  private readonly ping = byId("ping");
  private readonly banner = byId("banner");

  private game = "";
  private how: "join" | "watch" = "join";
  private password = "";
  private creating: NewGame | undefined;
  private botsWanted = 0; // once there is a seat
  private gameView: GameView | undefined;
  private playback: Playback | undefined;
  private readonly replayLink = byId<HTMLAnchorElement>("replay-link");
  private replayTimer: number | undefined;

  constructor(private readonly types: GameViewType[]) {
    this.lobby = new Lobby(types, {
      open: (game, how, bots) => {
        this.botsWanted = bots;
        this.go(game, how);
      },
      create: (game) => this.create(game),
      replay: (file) => void this.replayFile(file),
    });
    this.letFilesBeDropped();
    byId("leave").addEventListener("click", () => this.toLobby(""));
    byId("share").addEventListener("click", () => void this.share());
    byId("message-back").addEventListener("click", () => this.toLobby(""));
    byId<HTMLFormElement>("ask-password").addEventListener("submit", (event) => {
      event.preventDefault();
      this.password = byId<HTMLInputElement>("game-password").value;
      this.enterGame();
    });
    window.addEventListener("popstate", () => this.route());
    if (location.protocol === "http:") { // with https a proxy stands between, which speaks no TCP of ours
      byId("terminal-command").textContent =
        `ringside play -A ${location.hostname} -P ${location.port || "80"} -G name`;
    }
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.link = new Link(`${scheme}://${location.host}/play`, this);
    this.route();
  }

  // ---- where we are ----------------------------------------------------------------------------

  private route(): void {
    if (location.pathname.startsWith(replayPath)) {
      this.leaveGame();
      void this.replayOf(decodeURIComponent(location.pathname.slice(replayPath.length)));
      return;
    }
    const name = location.pathname.startsWith(gamePath)
      ? decodeURIComponent(location.pathname.slice(gamePath.length)) : "";
    if (name === this.game && name !== "") {
      return;
    }
    this.leaveGame();
    this.game = name;
    this.how = new URLSearchParams(location.search).has("watch") ? "watch" : "join";
    if (name === "") {
      this.showLobby();
    } else {
      this.enterGame();
    }
  }

  private go(game: string, how: "join" | "watch"): void {
    history.pushState(null, "", gamePath + encodeURIComponent(game) + (how === "watch" ? "?watch" : ""));
    this.route();
  }

  private create(game: NewGame): void {
    this.creating = game;
    this.botsWanted = game.bots;
    this.password = game.password;
    this.go(game.name, "join");
  }

  private toLobby(problem: string): void {
    this.botsWanted = 0;
    history.pushState(null, "", "/");
    this.route();
    this.lobby.say(problem);
  }

  private showLobby(): void {
    document.title = "Ringside";
    this.lobbyElement.hidden = false;
    this.gameElement.hidden = true;
    this.lobby.show(this.link);
  }

  private showGamePage(title: string): void {
    byId("share").hidden = false;
    this.lobby.hide();
    this.lobbyElement.hidden = true;
    this.gameElement.hidden = false;
    this.message.hidden = true;
    document.title = `${title} – Ringside`;
    this.title.textContent = title;
  }

  private enterGame(): void {
    this.showGamePage(this.game);
    const made = this.creating;
    if (made?.name === this.game) {
      this.link.join({ game: made.name, type: made.type.name, mode: JoinMode.create_only,
                       config: made.config, password: made.password, unlisted: made.unlisted,
                       nickname: this.lobby.nickname });
    } else if (this.how === "watch") {
      this.link.watch(this.game, this.password);
    } else if (!this.link.resumeKept(this.game)) {
      this.joinThere();
    }
  }

  private joinThere(): void {
    this.link.join({ game: this.game, mode: JoinMode.join_only, password: this.password,
                     nickname: this.lobby.nickname });
  }

  private leaveGame(): void {
    if (this.game !== "") {
      this.link.leave();
    }
    this.closeView();
    this.offerReplay("");
    this.game = "";
    if (this.creating?.name !== decodeURIComponent(location.pathname.slice(gamePath.length))) {
      this.creating = undefined;
      this.password = "";
    }
  }

  private closeView(): void {
    this.playback?.close();
    this.playback = undefined;
    this.gameView?.close();
    this.gameView = undefined;
  }

  /// Instead of a game: why there is none.
  private explain(text: string, askPassword = false): void {
    this.closeView();
    byId("message-text").textContent = text;
    byId("ask-password").hidden = !askPassword;
    this.message.hidden = false;
    this.announce(text);
    if (askPassword) {
      byId("game-password").focus();
    }
  }

  // ---- replays ---------------------------------------------------------------------------------

  private letFilesBeDropped(): void {
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file !== undefined && !this.lobbyElement.hidden) {
        void this.replayFile(file);
      }
    });
  }

  private async replayFile(file: File): Promise<void> {
    const recording = readRecording(new Uint8Array(await file.arrayBuffer()));
    if (this.lobbyElement.hidden) {
      return; // a game was opened meanwhile
    }
    if (typeof recording === "string") {
      this.lobby.sayOfReplay(`${file.name}: ${recording}`);
      return;
    }
    this.lobby.sayOfReplay("");
    history.pushState(null, "", "/?replay");
    this.showReplay(recording);
    byId("share").hidden = true; // nobody else has the file
  }

  /// The last match of a game, as its host has recorded it.
  private async replayOf(game: string): Promise<void> {
    this.showGamePage(game);
    const here = location.pathname;
    let recording: Recording | string = "There is no recorded match of that name.";
    try {
      const answer = await fetch(replayFilePath + encodeURIComponent(game));
      if (answer.ok) {
        recording = readRecording(new Uint8Array(await answer.arrayBuffer()));
      }
    } catch {
      recording = "The host does not answer.";
    }
    if (location.pathname !== here) {
      return; // somebody has gone elsewhere
    }
    if (typeof recording === "string") {
      this.explain(recording);
    } else {
      this.showReplay(recording);
    }
  }

  private showReplay(recording: Recording): void {
    const type = this.types.find((each) => each.name === recording.type);
    this.showGamePage(`${recording.game} (replay)`);
    if (type === undefined) {
      this.explain(`There is no view for games of type ${recording.type} here.`);
      return;
    }
    this.gameView = type.open(this.stage, {
      send: () => {},
      quit: () => this.toLobby(""),
      matchOver: () => {},
      announce: (text) => this.announce(text),
    });
    this.playback = new Playback(recording, this.gameView,
                                 () => this.explain("This recording is damaged."));
  }

  /// Whether the host has recorded the match that is just over.
  private lookForReplay(): void {
    window.clearTimeout(this.replayTimer);
    const game = this.game;
    this.replayTimer = window.setTimeout(async () => {
      const recorded = await fetch(`/replays?game=${encodeURIComponent(game)}`)
        .then((answer) => answer.json() as Promise<{ recorded?: boolean }>)
        .then((answer) => answer.recorded === true, () => false); // or there is no host any more
      if (recorded && this.game === game) {
        this.offerReplay(replayPath + encodeURIComponent(game));
      }
    }, replayReadyMs);
  }

  private offerReplay(address: string): void {
    window.clearTimeout(this.replayTimer);
    this.replayLink.hidden = address === "";
    this.replayLink.href = address;
    this.replayLink.target = "_blank"; // the seat is kept for a rematch
  }

  private async share(): Promise<void> {
    const address = this.playback !== undefined
      ? location.href : `${location.origin}${gamePath}${encodeURIComponent(this.game)}`;
    const said = byId("shared");
    try {
      if (typeof navigator.share === "function" && window.matchMedia("(pointer: coarse)").matches) {
        await navigator.share({ title: `Ringside: ${this.game}`, url: address });
        return;
      }
      await navigator.clipboard.writeText(address); // there only on https and localhost
      said.textContent = "link copied";
    } catch {
      said.textContent = address;
    }
  }

  // ---- what the host says ----------------------------------------------------------------------

  ready(): void {
    this.connectionIs("");
    if (!this.lobbyElement.hidden) {
      this.lobby.show(this.link);
    }
  }

  games(games: Parameters<LinkListener["games"]>[0], more: boolean): void {
    this.lobby.take(this.link, games, more);
  }

  entered(game: string, type: string, seat: number | undefined, tickMs: number,
          config: Uint8Array): void {
    this.connectionIs("");
    this.creating = undefined;
    this.message.hidden = true;
    const viewType = this.types.find((each) => each.name === type);
    if (game !== this.game || viewType === undefined) {
      this.link.leave();
      this.explain(`There is no view for games of type ${type} here.`);
      return;
    }
    this.gameView ??= viewType.open(this.stage, {
      send: (input) => this.link.input(input),
      quit: () => this.toLobby(""),
      matchOver: () => this.lookForReplay(),
      announce: (text) => this.announce(text),
    });
    this.gameView.enter(seat, tickMs, config);
    if (seat !== undefined) {
      this.gameView.askForBots(this.botsWanted);
    }
    this.botsWanted = 0;
  }

  refused(reason: number, text: string): void {
    this.connectionIs("");
    if (reason === Refusal.noSuchSession && this.game !== "") {
      this.joinThere();
    } else if (reason === Refusal.full || reason === Refusal.inProgress) {
      this.link.watch(this.game, this.password); // a link that was shared lets everybody in
    } else if (reason === Refusal.wrongPassword) {
      this.explain(this.password === "" ? "This game has a password." : refusalText(reason, text), true);
    } else if (this.creating !== undefined) {
      this.creating = undefined;
      this.toLobby(refusalText(reason, text));
    } else {
      this.explain(refusalText(reason, text));
    }
  }

  players(nicknames: Map<number, string>): void {
    this.gameView?.players(nicknames);
  }

  view(bytes: Uint8Array): void {
    this.judge(this.gameView?.view(bytes) ?? true);
  }

  delta(bytes: Uint8Array): void {
    this.judge(this.gameView?.delta(bytes) ?? true);
  }

  private judge(understood: boolean): void {
    if (!understood) {
      this.link.leave();
      this.explain("The host sent a view that is none.");
    }
  }

  left(reason: number, text: string): void {
    const farewell = farewellText(reason, text);
    if (farewell !== "") {
      this.explain(farewell);
    }
  }

  notice(text: string): void {
    this.announce(text);
  }

  pinged(ms: number): void {
    this.ping.textContent = `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
  }

  lost(): void {
    this.connectionIs("reconnecting…");
    this.ping.textContent = "";
  }

  closed(text: string): void {
    this.connectionIs("disconnected");
    if (this.game === "") {
      this.lobby.say(text);
    } else {
      this.explain(text);
    }
  }

  private connectionIs(text: string): void {
    if (this.banner.textContent !== text) {
      this.banner.textContent = text;
      this.banner.hidden = text === "";
    }
  }

  private announce(text: string): void {
    this.status.textContent = text;
  }
}
