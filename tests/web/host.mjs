// A host of the test's own, and what may be asked about its processes. Everything started here ends
// with the test, also when it fails.

import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { once } from "node:events";

/// For Debian's Chromium, as root, on a machine without a network.
export const browserOptions = {
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

export class Host {
  static async start(program, flags = []) {
    const instance = `web-test-${process.pid}-${Date.now()}`;
    const child = spawn(program, ["serve", "--instance", instance, "--listen", "127.0.0.1:0", ...flags],
                        { stdio: ["ignore", "pipe", "inherit"] });
    const host = new Host(child, program);
    host.instance = instance;
    process.on("exit", () => child.kill("SIGTERM")); // with which it leaves nothing behind
    let output = "";
    child.stdout.on("data", (data) => { output += data; });
    while (!output.includes("\nin a browser: ")) {
      const ended = await Promise.race([once(child.stdout, "data").then(() => false),
                                        once(child, "exit").then(() => true)]);
      if (ended) {
        throw new Error(`the host ended: ${output}`);
      }
    }
    host.port = Number(/listening on 127\.0\.0\.1:(\d+)/.exec(output)[1]);
    host.url = `http://127.0.0.1:${host.port}`;
    return host;
  }

  constructor(child, program) {
    this.child = child;
    this.program = program;
  }

  /// The pid of its child of that name, as in /proc/PID/comm.
  process(name) {
    const children = readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, "utf8");
    return children.trim().split(/\s+/).map(Number).find((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === name;
      } catch {
        return false; // it has ended meanwhile
      }
    });
  }

  async stop() {
    this.child.kill("SIGTERM");
    const [code] = this.child.exitCode === null ? await once(this.child, "exit")
                                                : [this.child.exitCode];
    return code;
  }
}

/// A terminal of its own, in a tmux server of its own.
export class Terminal {
  static open(command) {
    const socket = `ringside-web-test-${process.pid}`;
    const terminal = new Terminal(socket);
    process.on("exit", () => spawnSync("tmux", ["-L", socket, "kill-server"], { stdio: "ignore" }));
    terminal.tmux("-f", "/dev/null", "new-session", "-d", "-x", "130", "-y", "64", command);
    return terminal;
  }

  constructor(socket) {
    this.socket = socket;
  }

  tmux(...args) {
    const result = spawnSync("tmux", ["-L", this.socket, ...args], { encoding: "utf8" });
    if (result.status !== 0) {
      throw new Error(`tmux ${args.join(" ")}: ${result.stderr}`);
    }
    return result.stdout;
  }

  press(key) {
    this.tmux("send-keys", key);
  }

  screen() {
    return this.tmux("capture-pane", "-p");
  }
}

/// Returns when the condition holds; throws with `what` when it does not within the time.
export async function eventually(what, condition, timeoutMs = 60_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() > deadline) {
      throw new Error(`did not happen: ${what}`);
    }
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}
