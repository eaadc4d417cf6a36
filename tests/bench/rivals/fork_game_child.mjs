// The game of fork_games.mjs: answers a join with its state.

const state = { tick: 0, players: [] };
process.on('disconnect', () => process.exit(0));
process.on('message', ({ join }) => {
  state.players.push(join);
  process.send(state);
});
