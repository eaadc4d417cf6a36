// Link: the connection to a host, over WebSockets. It comes back by itself when it is lost, and takes
// up the seat it had: what was pressed meanwhile is sent again, and counts once.

import * as flatbuffers from "flatbuffers";
import * as wire from "./wire";

const subprotocol = "ringside.v1";
const protocolVersion = 1;
const retryAfterMs = [0, 250, 500, 1000, 2000];
const pingEveryMs = 2000;
const silentMs = 6000; // a Ping unanswered for so long: the connection is dead, whatever TCP thinks
const candidatesMax = 8;

// ringside::RefuseReason
export const Refusal = {
  full: 1,
  inProgress: 2,
  badParameters: 3,
  noSuchGame: 4,
  unknownType: 5,
  nameTaken: 6,
  badName: 7,
  noRoom: 8,
  stopping: 9,
  noSuchSession: 10,
  wrongPassword: 11,
} as const;

// ringside::LeaveReason
export const Leaving = {
  left: 1,
  gameEnded: 2,
  idle: 3,
  gameFailed: 4,
  stopping: 5,
  disconnected: 6,
  moved: 7,
} as const;

// Close codes after which trying again makes sense: the host's own, and those of a lost connection.
const comesBackAfter = new Set([1001, 1006, 1011, 1012, 1013, 4004, 4005, 4007, 4008, 4009, 4010]);

export interface GameInfo {
  name: string;
  type: string;
  size: string;
  phase: number;
  players: number;
  seats: number;
  spectators: number;
  password: boolean;
}

export interface JoinWish {
  game: string;
  type?: string;
  mode: wire.JoinMode;
  config?: Uint8Array;
  password?: string;
  unlisted?: boolean;
  nickname?: string;
}

export interface LinkListener {
  /// The host has said who we are, and there is no game to go on with: lists may be asked for.
  ready(): void;
  games(games: GameInfo[], more: boolean): void;
  /// `seat` is undefined for those who watch.
  entered(game: string, type: string, seat: number | undefined, tickMs: number,
          config: Uint8Array): void;
  refused(reason: number, text: string): void;
  /// Nicknames by seat, of those who have one.
  players(nicknames: Map<number, string>): void;
  view(bytes: Uint8Array): void;
  delta(bytes: Uint8Array): void;
  left(reason: number, text: string): void;
  notice(text: string): void;
  /// Round trip of a message, ms.
  pinged(ms: number): void;
  /// The connection is lost; attempts to come back go on.
  lost(): void;
  /// It is over: there is nothing to come back to.
  closed(text: string): void;
}

interface Credentials {
  session: string; // of 64 bits: in decimal, for storage
  token: number[];
}

interface SentInput {
  number: number;
  bytes: Uint8Array;
}

/// What a page that is reloaded needs to take up its seat.
interface Kept {
  game: string;
  candidates: Credentials[];
}

export class Link {
  private socket: WebSocket | undefined;
  private welcomed = false;
  private own: Credentials | undefined;
  private attempts = 0;
  private retry: number | undefined;
  private unansweredSinceMs: number | undefined; // the first Ping without a Pong
  private pinging: number;
  private ended = false;

  private game = "";
  private watched = "";
  private watchedPassword = "";
  private joining: JoinWish | undefined;
  private seat: number | undefined;
  private resuming = false;
  private candidates: Credentials[] = [];
  private unacknowledged: SentInput[] = [];
  private inputNumber = 0;

  // What the host will say to what was asked, in order. A player may be faster than it: an answer
  // that others will follow is out of date.
  private expected: ("answer" | "left")[] = [];

  constructor(private readonly url: string, private readonly listener: LinkListener) {
    this.connect();
    this.pinging = window.setInterval(() => this.keepAlive(), pingEveryMs);
    // A phone that wakes up, or finds a network again, need not wait for the next attempt.
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => this.hurry());
  }

  get connected(): boolean {
    return this.welcomed;
  }

  // ---- what is asked of the host ---------------------------------------------------------------

  list(prefix: string, after: string): void {
    this.send((builder) => {
      const prefixText = builder.createString(prefix);
      const afterText = builder.createString(after);
      return [wire.ClientMessage.List, wire.List.createList(builder, prefixText, afterText, 0)];
    });
  }

  join(wish: JoinWish): void {
    this.forget();
    this.joining = wish;
    this.sendJoin();
  }

  /// Takes up the seat that this browser tab had in the game before it was reloaded. False: none.
  resumeKept(game: string): boolean {
    const kept = readKept();
    if (kept === undefined || kept.game !== game) {
      return false;
    }
    this.forget();
    this.game = kept.game;
    this.candidates = kept.candidates;
    this.sendResume();
    return true;
  }

  watch(game: string, password = ""): void {
    this.forget();
    this.watched = game;
    this.watchedPassword = password;
    this.sendWatch();
  }

  leave(): void {
    const inGame = this.seat !== undefined || this.joining !== undefined || this.resuming ||
                   this.watched !== "";
    if (inGame && this.welcomed) {
      this.send((builder) => {
        wire.Leave.startLeave(builder);
        return [wire.ClientMessage.Leave, wire.Leave.endLeave(builder)];
      });
      this.expected.push("left");
    }
    this.forget();
  }

  input(bytes: Uint8Array): void {
    if (this.seat === undefined) {
      return;
    }
    const input = { number: ++this.inputNumber, bytes };
    this.unacknowledged.push(input);
    if (!this.resuming) {
      this.sendInput(input);
    }
  }

  // ---- messages out ----------------------------------------------------------------------------

  private send(build: (builder: flatbuffers.Builder) => [wire.ClientMessage, number]): void {
    if (this.welcomed) {
      this.sendNow(build);
    }
  }

  private sendNow(build: (builder: flatbuffers.Builder) => [wire.ClientMessage, number]): void {
    const builder = new flatbuffers.Builder(256);
    const [type, message] = build(builder);
    const root = wire.FromClient.createFromClient(builder, type, message);
    builder.finishSizePrefixed(root);
    this.socket?.send(builder.asUint8Array().slice());
  }

  private sendJoin(): void {
    const wish = this.joining;
    if (wish === undefined) {
      return;
    }
    this.send((builder) => {
      const name = builder.createString(wish.game);
      const type = wish.type === undefined ? 0 : builder.createString(wish.type);
      const config = wish.config === undefined
        ? 0 : wire.Join.createConfigVector(builder, wish.config);
      const password = wish.password ? builder.createString(wish.password) : 0;
      const nickname = wish.nickname ? builder.createString(wish.nickname) : 0;
      wire.Join.startJoin(builder);
      wire.Join.addGame(builder, name);
      wire.Join.addGameType(builder, type);
      wire.Join.addMode(builder, wish.mode);
      wire.Join.addConfig(builder, config);
      wire.Join.addPassword(builder, password);
      wire.Join.addUnlisted(builder, wish.unlisted ?? false);
      wire.Join.addNickname(builder, nickname);
      return [wire.ClientMessage.Join, wire.Join.endJoin(builder)];
    });
    this.expectAnswer();
    this.noteCandidate(wish.game);
  }

  private sendWatch(): void {
    this.send((builder) => {
      const name = builder.createString(this.watched);
      const password = this.watchedPassword ? builder.createString(this.watchedPassword) : 0;
      return [wire.ClientMessage.Watch, wire.Watch.createWatch(builder, name, password)];
    });
    this.expectAnswer();
  }

  private sendResume(): void {
    if (!this.welcomed) {
      return;
    }
    this.resuming = true;
    this.send((builder) => {
      const name = builder.createString(this.game);
      const sessions = wire.Resume.createSessionsVector(
        builder, this.candidates.map((each) => BigInt(each.session)));
      const tokens = wire.Resume.createTokensVector(
        builder, this.candidates.flatMap((each) => each.token));
      return [wire.ClientMessage.Resume,
              wire.Resume.createResume(builder, name, sessions, tokens)];
    });
    this.expectAnswer();
    this.noteCandidate(this.game);
  }

  private expectAnswer(): void {
    if (this.welcomed) {
      this.expected.push("answer");
    }
  }

  /// Whether it is the answer to what was asked last.
  private isAnswered(): boolean {
    while (this.expected[0] === "left") {
      this.expected.shift(); // our Leave had crossed with the end of the game
    }
    this.expected.shift();
    return this.expected.length === 0;
  }

  private sendInput(input: SentInput): void {
    this.send((builder) => {
      const bytes = wire.Input.createBytesVector(builder, input.bytes);
      return [wire.ClientMessage.Input, wire.Input.createInput(builder, input.number, bytes)];
    });
  }

  /// This connection may be the one that gets the seat, even if it never hears so. The one that was
  /// told Joined stays first.
  private noteCandidate(game: string): void {
    if (!this.welcomed || this.own === undefined) {
      return;
    }
    if (this.candidates.length === candidatesMax) {
      this.candidates.splice(1, 1);
    }
    this.candidates.push(this.own);
    keep({ game, candidates: this.candidates });
  }

  private forget(): void {
    this.game = this.watched = this.watchedPassword = "";
    this.joining = undefined;
    this.seat = undefined;
    this.resuming = false;
    this.candidates = [];
    this.unacknowledged = [];
    this.inputNumber = 0;
    keep(undefined);
  }

  // ---- the connection --------------------------------------------------------------------------

  private connect(): void {
    this.retry = undefined;
    this.welcomed = false;
    this.expected = [];
    const socket = new WebSocket(this.url, subprotocol);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.unansweredSinceMs = undefined;
      this.sendNow((builder) =>
        [wire.ClientMessage.Hello, wire.Hello.createHello(builder, protocolVersion, true)]);
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      if (socket === this.socket) {
        this.take(new Uint8Array(event.data));
      }
    };
    socket.onclose = (event) => {
      if (socket === this.socket) {
        this.disconnected(event);
      }
    };
  }

  private disconnected(event: { code: number; reason: string }): void {
    this.socket = undefined;
    this.welcomed = false;
    if (this.ended) {
      return;
    }
    if (!comesBackAfter.has(event.code)) {
      this.end(event.reason || `the host closed the connection (${event.code})`);
      return;
    }
    this.listener.lost();
    const wait = retryAfterMs[Math.min(this.attempts++, retryAfterMs.length - 1)]!;
    this.retry = window.setTimeout(() => this.connect(), wait * (0.75 + Math.random() / 2));
  }

  private end(text: string): void {
    this.ended = true;
    window.clearInterval(this.pinging);
    this.listener.closed(text);
  }

  private hurry(): void {
    if (this.retry !== undefined && document.visibilityState === "visible") {
      window.clearTimeout(this.retry);
      this.attempts = 0;
      this.connect();
    }
  }

  private keepAlive(): void {
    if (this.socket === undefined || !this.welcomed) {
      return;
    }
    const now = performance.now();
    this.unansweredSinceMs ??= now;
    if (now - this.unansweredSinceMs > silentMs && document.visibilityState === "visible") {
      const silent = this.socket;
      this.socket = undefined; // what it may still say is not heard
      silent.close();
      this.disconnected({ code: 1006, reason: "" });
      return;
    }
    this.send((builder) =>
      [wire.ClientMessage.Ping, wire.Ping.createPing(builder, BigInt(Math.round(now * 1000)))]);
  }

  // ---- messages in -----------------------------------------------------------------------------

  private take(bytes: Uint8Array): void {
    const root = wire.FromHost.getSizePrefixedRootAsFromHost(new flatbuffers.ByteBuffer(bytes));
    const read = <Message>(empty: Message): Message => root.message(empty as never) as Message;
    switch (root.messageType()) {
      case wire.HostMessage.Welcome: this.takeWelcome(read(new wire.Welcome())); break;
      case wire.HostMessage.Joined: this.takeJoined(read(new wire.Joined())); break;
      case wire.HostMessage.Watching: {
        const watching = read(new wire.Watching());
        if (!this.isAnswered()) {
          break;
        }
        this.listener.entered(watching.game() ?? "", watching.gameType() ?? "", undefined,
                              Number(watching.tickNs()) / 1e6,
                              watching.configArray() ?? new Uint8Array());
        break;
      }
      case wire.HostMessage.Refused: this.takeRefused(read(new wire.Refused())); break;
      case wire.HostMessage.Games: this.takeGames(read(new wire.Games())); break;
      case wire.HostMessage.Snapshot: {
        const snapshot = read(new wire.Snapshot());
        for (let i = 0; i < Math.min(snapshot.seatsLength(), 64); ++i) {
          this.acknowledge(snapshot.seats(i));
        }
        this.listener.view(snapshot.viewArray() ?? new Uint8Array());
        break;
      }
      case wire.HostMessage.Delta: {
        const delta = read(new wire.Delta());
        for (let i = 0; i < Math.min(delta.seatsLength(), 64); ++i) {
          this.acknowledge(delta.seats(i));
        }
        this.listener.delta(delta.bytesArray() ?? new Uint8Array());
        break;
      }
      case wire.HostMessage.Players: {
        const players = read(new wire.Players());
        const nicknames = new Map<number, string>();
        for (let i = 0; i < Math.min(players.playersLength(), 64); ++i) {
          const player = players.players(i);
          nicknames.set(player?.seat() ?? 0, player?.nickname() ?? "");
        }
        this.listener.players(nicknames);
        break;
      }
      case wire.HostMessage.Left: this.takeLeft(read(new wire.Left())); break;
      case wire.HostMessage.Pong: {
        this.unansweredSinceMs = undefined;
        const sentMs = Number(read(new wire.Pong()).nonce()) / 1000;
        this.listener.pinged(Math.max(0, performance.now() - sentMs));
        break;
      }
      case wire.HostMessage.Notice:
        this.listener.notice(read(new wire.Notice()).text() ?? "");
        break;
      default: break; // Error: the close that follows has its code and text
    }
  }

  private takeWelcome(welcome: wire.Welcome): void {
    this.welcomed = true;
    this.attempts = 0;
    this.own = {
      session: welcome.session().toString(),
      token: Array.from(welcome.tokenArray() ?? []),
    };
    if (this.candidates.length > 0) {
      this.game ||= this.joining?.game ?? "";
      this.sendResume();
    } else if (this.joining !== undefined) {
      this.sendJoin();
    } else if (this.watched !== "") {
      this.sendWatch();
    } else {
      this.listener.ready();
    }
  }

  private takeLeft(left: wire.Left): void {
    if (left.reason() === Leaving.left) { // as we asked: it is forgotten already
      this.expected.splice(0, this.expected.indexOf("left") + 1);
    } else if (this.expected.length === 0) {
      this.forget();
      this.listener.left(left.reason(), left.text() ?? "");
    }
  }

  private takeRefused(refused: wire.Refused): void {
    if (!this.isAnswered()) {
      return;
    }
    const wish = this.joining;
    const wasResuming = this.resuming;
    this.forget();
    if (wish !== undefined && wasResuming) {
      this.join(wish); // the join itself had been lost with its connection
      return;
    }
    this.listener.refused(refused.reason(), refused.text() ?? "");
  }

  private takeJoined(joined: wire.Joined): void {
    if (!this.isAnswered()) {
      return;
    }
    this.game = joined.game() ?? "";
    this.joining = undefined;
    this.resuming = false;
    this.seat = joined.seat();
    this.candidates = this.own === undefined ? [] : [this.own];
    keep({ game: this.game, candidates: this.candidates });
    this.listener.entered(this.game, joined.gameType() ?? "", this.seat,
                          Number(joined.tickNs()) / 1e6, joined.configArray() ?? new Uint8Array());
    // What the game has not applied is sent again, and a page that was reloaded counts on.
    const applied = joined.lastInput();
    this.inputNumber = Math.max(this.inputNumber, applied);
    this.unacknowledged = this.unacknowledged.filter((input) => input.number > applied);
    this.unacknowledged.forEach((input) => this.sendInput(input));
  }

  private takeGames(page: wire.Games): void {
    const games: GameInfo[] = [];
    for (let i = 0; i < page.gamesLength(); ++i) {
      const info = page.games(i);
      if (info !== null) {
        games.push({
          name: info.name() ?? "",
          type: info.gameType() ?? "",
          size: info.size() ?? "",
          phase: info.phase(),
          players: info.players(),
          seats: info.seats(),
          spectators: info.spectators(),
          password: info.password(),
        });
      }
    }
    this.listener.games(games, page.more());
  }

  private acknowledge(input: wire.SeatInput | null): void {
    if (input !== null && input.seat() === this.seat) {
      const applied = input.number();
      while (this.unacknowledged[0] !== undefined && this.unacknowledged[0].number <= applied) {
        this.unacknowledged.shift();
      }
    }
  }
}

// A tab's own store: two tabs are two players, and a closed one is gone.
const keptKey = "ringside-seat";

function keep(kept: Kept | undefined): void {
  if (kept === undefined) {
    sessionStorage.removeItem(keptKey);
  } else {
    sessionStorage.setItem(keptKey, JSON.stringify(kept));
  }
}

function readKept(): Kept | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(keptKey) ?? "null") as Kept | null;
    return kept !== null && Array.isArray(kept.candidates) && kept.candidates.length > 0
      ? kept : undefined;
  } catch {
    return undefined;
  }
}
