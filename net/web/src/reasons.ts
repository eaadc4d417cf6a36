// Why a host refused or ended something, in words.

import { Leaving, Refusal } from "./link";

export function refusalText(reason: number, text: string): string {
  switch (reason) {
    case Refusal.full: return "The game is full.";
    case Refusal.inProgress: return "The game is already in progress.";
    case Refusal.noSuchGame: return "There is no game of that name.";
    case Refusal.nameTaken: return "There is a game of that name already.";
    case Refusal.noSuchSession: return "Your seat has been given up.";
    case Refusal.wrongPassword: return "That is not the game's password.";
    default: return text === "" ? `The host refused (reason ${reason}).` : text;
  }
}

export function farewellText(reason: number, text: string): string {
  switch (reason) {
    case Leaving.left: return "";
    case Leaving.gameEnded: return "The game has ended.";
    case Leaving.idle: return "The game has ended: nobody touched it for too long.";
    case Leaving.stopping: return "The host was stopped.";
    case Leaving.moved: return "This seat is played from another window now.";
    default: return text === "" ? "The game has ended." : text;
  }
}
