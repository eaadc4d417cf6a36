// burn_child.mjs BURN_MS TICK_MS: one game of burn_children.mjs. Says when it runs; answers any message
// with its intervals.

import { Burner } from './burn.mjs';

const [burn_ms, tick_ms] = process.argv.slice(2).map(Number);
const burner = new Burner(burn_ms, tick_ms);
process.on('disconnect', () => process.exit(0));
process.on('message', () => process.send(burner.interval_ms));
process.send('running');
