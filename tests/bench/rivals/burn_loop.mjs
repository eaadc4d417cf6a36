// burn_loop.mjs GAMES BURN_MS TICK_MS TIME_MS: all games in one event loop, as the ancestor ran them.
//
// Prints {"interval_ms": [...]}: from each game's tick to its next one.

import { setTimeout as sleep } from 'node:timers/promises';
import { Burner } from './burn.mjs';

const [games, burn_ms, tick_ms, time_ms] = process.argv.slice(2).map(Number);
const burners = [];
for (let i = 0; i < games; ++i) {
  await sleep(tick_ms / games); // staggered
  burners.push(new Burner(burn_ms, tick_ms));
}
await sleep(time_ms);
console.log(JSON.stringify({ interval_ms: burners.flatMap((burner) => burner.interval_ms) }));
process.exit(0);
