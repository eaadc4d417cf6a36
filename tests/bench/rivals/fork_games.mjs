// fork_games.mjs COUNT ALIVE SETTLE_MS: one Node child a game, as the ancestor's successor had it.
//
// Prints {"ms": [...], "kib_each": K}: for COUNT children, one after the other, the time from fork()
// to the first state that has the join in it; and what each of ALIVE living children takes of
// MemAvailable.

import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const child = fileURLToPath(new URL('fork_game_child.mjs', import.meta.url));
const available_kib = () => Number(/MemAvailable:\s+(\d+)/.exec(readFileSync('/proc/meminfo'))[1]);

function start() {
  return new Promise((resolve, reject) => {
    const game = fork(child);
    game.once('error', reject);
    game.on('message', (state) => {
      if (state.players.includes('player')) resolve(game);
    });
    game.send({ join: 'player' });
  });
}

const [count, alive, settle_ms] = process.argv.slice(2).map(Number);
const ms = [];
for (let i = 0; i < count; ++i) {
  const began = performance.now();
  const game = await start();
  ms.push(performance.now() - began);
  game.kill('SIGKILL');
}
await sleep(settle_ms);
const before_kib = available_kib();
const games = [];
for (let i = 0; i < alive; ++i) games.push(await start());
await sleep(settle_ms);
const kib_each = (before_kib - available_kib()) / alive;
for (const game of games) game.kill('SIGKILL');
console.log(JSON.stringify({ ms, kib_each }));
process.exit(0);
