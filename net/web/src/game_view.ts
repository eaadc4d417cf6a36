// GameView: how one game type is shown and played in a browser. The shell owns the connection and
// the page around it.

export interface GameViewHost {
  /// What the player did, for the game's rules.
  send(input: Uint8Array): void;
  /// The player wants to go back to the lobby.
  quit(): void;
  /// A match is over, and another one may follow.
  matchOver(): void;
  /// For the line that screen readers read out.
  announce(text: string): void;
}

export interface GameView {
  /// A seat, or none for those who watch. Called again after a connection was lost.
  enter(seat: number | undefined, tickMs: number, config: Uint8Array): void;
  /// Nicknames by seat, of those who have one.
  players(nicknames: Map<number, string>): void;
  /// A whole view. False: these bytes are none. Not `shown`: another one follows at once.
  view(bytes: Uint8Array, shown?: boolean): boolean;
  /// How the view differs from the one before. False: it does not fit it.
  delta(bytes: Uint8Array, shown?: boolean): boolean;
  /// So many bots more are to play; those that find no free seat do not.
  askForBots(count: number): void;
  close(): void;
}

export interface CreateOption {
  label: string;
  config: (seats: number) => Uint8Array;
}

export interface GameViewType {
  /// The game type's name on the host.
  name: string;
  seatsMax: number;
  /// What a new game may be like; the first is the default.
  sizes: CreateOption[];
  open(element: HTMLElement, host: GameViewHost): GameView;
}
