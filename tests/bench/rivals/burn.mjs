// A game that works `burn_ms` of CPU time in each tick and notes the time between ticks.

export class Burner {
  constructor(burn_ms, tick_ms) {
    this.burn_us = burn_ms * 1000;
    this.interval_ms = [];
    this.timer = setInterval(() => this.tick(), tick_ms);
  }

  tick() {
    const now = performance.now();
    if (this.began !== undefined) this.interval_ms.push(now - this.began);
    this.began = now;
    const used_us = () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    };
    const end_us = used_us() + this.burn_us;
    while (used_us() < end_us);
  }
}
