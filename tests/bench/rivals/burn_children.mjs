// burn_children.mjs GAMES BURN_MS TICK_MS TIME_MS: a forked child a game.
//
// Prints {"interval_ms": [...]}: from each game's tick to its next one.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const [games, burn_ms, tick_ms, time_ms] = process.argv.slice(2).map(Number);
const child = fileURLToPath(new URL('burn_child.mjs', import.meta.url));
const children = [];
for (let i = 0; i < games; ++i) {
  const game = fork(child, [burn_ms, tick_ms]);
  await once(game, 'message');
  children.push(game);
}
await sleep(time_ms);
const answers = await Promise.all(
  children.map((game) => {
    game.send('stop');
    return once(game, 'message');
  }),
);
console.log(JSON.stringify({ interval_ms: answers.flatMap(([intervals]) => intervals) }));
process.exit(0);
