// Names for games that nobody has named.

const adjectives = "amber bold brave brisk bright calm clever cosmic crisp daring deep eager early fast"
  .split(" ");
const nouns = "arena badger beacon bison canyon comet condor coral crane cricket delta dragon eagle ember"
  .split(" ");

function pick(words: string[]): string {
  return words[Math.floor(Math.random() * words.length)]!;
}

/// The number keeps two people from making up the same.
export function madeUpName(): string {
  return `${pick(adjectives)}-${pick(nouns)}-${Math.floor(Math.random() * 900) + 100}`;
}

/// As in core/game_name: what a game may be called.
export const gameNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,46}$/;
