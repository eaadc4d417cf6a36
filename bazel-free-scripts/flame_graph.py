#!/usr/bin/env python3
"""What `profile` does with what perf has recorded: folds, draws, compares.

  flame_graph.py make --out FOLDER [--root PID]... [--off-cpu] [--title TEXT] < perf-script-output
  flame_graph.py diff --out FILE.html A.folded B.folded

`make` reads the output of `perf script --show-task-events [--show-switch-events]
--fields comm,pid,tid,time,event,ip,sym,dso`, keeps the processes that descend from the given ones
(all without --root), and writes profile.folded ("process;caller;...;callee weight", weights in
samples, or in us off the CPU), flame.html (one page, nothing else needed) and speedscope.json.
"""

import argparse
import html
import json
import pathlib
import re
import sys

HEADER = re.compile(r"^(?P<comm>.+?)\s+(?P<pid>-?\d+)/(?P<tid>-?\d+)\s+(?P<s>\d+)\.(?P<us>\d+):\s+(?P<rest>.*)$")
FRAME = re.compile(r"^\s+[0-9a-f]+ (?P<symbol>.+) \((?P<object>[^()]*(?:\([^()]*\))?[^()]*)\)$")
FORK = re.compile(r"PERF_RECORD_FORK\((\d+):\d+\):\((\d+):\d+\)")
COMM = re.compile(r"PERF_RECORD_COMM(?: exec)?: (.+):(\d+)/(\d+)$")
UNKNOWN = "[unknown]"
KERNEL_OBJECTS = ("[kernel.kallsyms]", "[guest.kernel.kallsyms]")


def record_lines(lines):
    """(header match, frame lines) of each record."""
    header, frames = None, []
    for line in lines:
        line = line.rstrip("\n")
        if not line.strip():
            continue
        if line[0].isspace() and FRAME.match(line):
            frames.append(line)
            continue
        match = HEADER.match(line.strip())
        if match:
            if header:
                yield header, frames
            header, frames = match, []
    if header:
        yield header, frames


def frame_names(frames):
    """From the outermost caller in; what is the kernel's ends in _[k].

    A function that its file has no name for is "[file]".
    """
    names = []
    for line in reversed(frames):
        match = FRAME.match(line)
        symbol, where = match["symbol"], match["object"]
        if symbol == where == UNKNOWN:
            # In no file: what a library without frame pointers had in that register. The callers
            # are lost, however many such words follow.
            if names[-1:] != [UNKNOWN]:
                names.append(UNKNOWN)
            continue
        if symbol == UNKNOWN:
            symbol = f"[{pathlib.PurePath(where).name.strip('[]')}]"
        if where in KERNEL_OBJECTS or where.endswith(".ko"):
            symbol += "_[k]"
        names.append(symbol.replace(";", ":"))
    return names


class Folding:
    """Sums up equal stacks."""

    def __init__(self, roots, off_cpu):
        self.roots = set(roots)
        self.off_cpu = off_cpu
        self.wanted = set(roots)
        self.stacks = {}
        self.frames = 0
        self.unknown_frames = 0
        self.nameless_frames = 0
        self.samples = 0
        self.away = {}  # tid: (since when, stack), of who has left the CPU

    def add(self, stack, weight):
        key = ";".join(stack)
        self.stacks[key] = self.stacks.get(key, 0) + weight

    def is_wanted(self, pid):
        return not self.roots or pid in self.wanted

    def take(self, header, frames):
        rest, pid, tid = header["rest"], int(header["pid"]), int(header["tid"])
        time_us = int(header["s"]) * 1_000_000 + int(header["us"].ljust(6, "0")[:6])
        forked = FORK.search(rest)
        if forked:
            child, parent = int(forked[1]), int(forked[2])
            if parent in self.wanted:
                self.wanted.add(child)
            return
        if "PERF_RECORD_SWITCH" in rest:
            if " IN " in rest and tid in self.away:
                since_us, stack = self.away.pop(tid)
                self.add(stack, max(time_us - since_us, 0))
            return
        if "PERF_RECORD_" in rest or not self.is_wanted(pid) or pid == 0:
            return
        names = frame_names(frames)
        self.samples += 1
        self.frames += len(names)
        self.unknown_frames += names.count(UNKNOWN)
        self.nameless_frames += sum(name.startswith("[") and name != UNKNOWN for name in names)
        stack = [header["comm"].strip().replace(";", ":")] + names
        if self.off_cpu:
            self.away[tid] = (time_us, stack)
        else:
            self.add(stack, 1)


def tree_of(stacks, other=None):
    """Nested {n: name, v: weight, c: children}; with `other`, o: its weight there."""
    root = {"n": "all", "v": 0, "c": {}}
    if other is not None:
        root["o"] = 0

    def put(stack, weight, field):
        node = root
        node[field] = node.get(field, 0) + weight
        for name in stack.split(";"):
            node = node["c"].setdefault(name, {"n": name, "v": 0, "c": {}})
            node[field] = node.get(field, 0) + weight

    for stack, weight in stacks.items():
        put(stack, weight, "v")
    for stack, weight in (other or {}).items():
        put(stack, weight, "o")

    def listed(node):
        node["c"] = [listed(child) for _, child in sorted(node["c"].items())]
        if not node["c"]:
            del node["c"]
        return node

    return listed(root)


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>TITLE</title><style>
body { font: 13px sans-serif; margin: 1em; } svg text { font: 11px monospace; pointer-events: none; }
rect { stroke: white; stroke-width: .5; cursor: pointer; } #about { height: 1.4em; white-space: pre; overflow: hidden; }
</style></head><body><h3>TITLE</h3>
<p>SUMMARY Click a frame to see it alone, the bottom one to see all.
<label>Mark what matches <input id="find" size="30"></label> <span id="found"></span></p>
<div id="about"></div><svg id="graph" width="100%"></svg>
<script id="profile" type="application/json">DATA</script><script>
const page = JSON.parse(document.getElementById("profile").textContent);
const svg = document.getElementById("graph"), about = document.getElementById("about");
const find = document.getElementById("find"), height = 17, space = "http://www.w3.org/2000/svg";
let shown = page.tree;
function parents(node, parent) { node.p = parent; (node.c || []).forEach(child => parents(child, node)); }
function depth(node) { return 1 + Math.max(0, ...(node.c || []).map(depth)); }
function matches(node) { return find.value !== "" && node.n.includes(find.value); }
function shares(node) { return [(node.o || 0) / (page.tree.o || 1), node.v / (page.tree.v || 1)]; }
function colour(node) {
  if (matches(node)) return "rgb(230,90,230)";
  if (page.tree.o !== undefined) {
    const [before, after] = shares(node), change = Math.max(-1, Math.min(1, (after - before) * 20));
    const rest = Math.round(235 * (1 - Math.abs(change)));
    return change >= 0 ? `rgb(240,${rest},${rest})` : `rgb(${rest},${rest},240)`;
  }
  let hash = 0;
  for (const letter of node.n) hash = (hash * 31 + letter.charCodeAt(0)) % 55;
  if (node.n.endsWith("_[k]")) return `rgb(235,${140 + hash},60)`;
  if (node.n.includes("ringside::")) return `rgb(${90 + hash},190,${110 + hash})`;
  return `rgb(${200 + hash},${190 + hash},90)`;
}
function told(node) {
  const of_all = (100 * node.v / (page.tree.v || 1)).toFixed(2);
  const before = page.tree.o === undefined ? "" : `, before ${(100 * shares(node)[0]).toFixed(2)} %`;
  return `${node.n}: ${node.v.toLocaleString()} ${page.unit}, ${of_all} %${before}`;
}
function size(node) { return Math.max(node.v, node.o || 0); }
function draw() {
  const width = svg.clientWidth || 1200, above = [];
  for (let node = shown.p; node; node = node.p) above.unshift(node);
  const rows = above.length + depth(shown);
  svg.setAttribute("height", rows * height);
  svg.replaceChildren();
  function box(node, x, w, level) {
    if (w < 0.4) return;
    const rect = document.createElementNS(space, "rect"), y = (rows - 1 - level) * height;
    for (const [name, value] of Object.entries({ x, y, width: w, height: height - 1, fill: colour(node) }))
      rect.setAttribute(name, value);
    rect.onclick = () => { shown = node; draw(); };
    rect.onmousemove = () => { about.textContent = told(node); };
    svg.append(rect);
    const letters = Math.floor(w / 7);
    if (letters > 3) {
      const text = document.createElementNS(space, "text");
      text.setAttribute("x", x + 3); text.setAttribute("y", y + 12);
      text.textContent = node.n.length > letters ? node.n.slice(0, letters - 1) + "\\u2026" : node.n;
      svg.append(text);
    }
  }
  above.forEach((node, level) => box(node, 0, width, level));
  (function boxes(node, x, w, level) {
    box(node, x, w, level);
    const all = Math.max(size(node), (node.c || []).reduce((sum, child) => sum + size(child), 0));
    for (const child of node.c || []) {
      const part = all ? w * size(child) / all : 0;
      boxes(child, x, part, level + 1);
      x += part;
    }
  })(shown, 0, width, above.length);
}
function mark() {
  let weight = 0;
  (function sum(node) { if (matches(node)) weight += node.v; else (node.c || []).forEach(sum); })(page.tree);
  document.getElementById("found").textContent =
    find.value === "" ? "" : `${(100 * weight / (page.tree.v || 1)).toFixed(2)} %`;
  draw();
}
parents(page.tree, null); find.oninput = mark; window.onresize = draw; draw();
</script></body></html>
"""


def page_of(tree, title, unit, summary):
    data = json.dumps({"unit": unit, "tree": tree}).replace("</", "<\\/")
    return (PAGE.replace("TITLE", html.escape(title)).replace("SUMMARY", html.escape(summary))
            .replace("DATA", data))


def speedscope_of(stacks, title, unit):
    index, frames, samples, weights = {}, [], [], []
    for stack, weight in stacks.items():
        sample = []
        for name in stack.split(";"):
            if name not in index:
                index[name] = len(frames)
                frames.append({"name": name})
            sample.append(index[name])
        samples.append(sample)
        weights.append(weight)
    return {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": "ringside profile",
        "name": title,
        "shared": {"frames": frames},
        "profiles": [{
            "type": "sampled", "name": title, "unit": "microseconds" if unit == "us" else "none",
            "startValue": 0, "endValue": sum(weights), "samples": samples, "weights": weights,
        }],
    }


def own_weights(stacks):
    own = {}
    for stack, weight in stacks.items():
        leaf = stack.rsplit(";", 1)[-1]
        own[leaf] = own.get(leaf, 0) + weight
    return own


def make(options):
    folding = Folding(options.root, options.off_cpu)
    for header, frames in record_lines(sys.stdin):
        folding.take(header, frames)
    stacks = folding.stacks
    if not stacks:
        sys.exit("flame_graph.py: no sample of these processes; did they run?")
    unit = "us" if options.off_cpu else "samples"
    percent = 100 / max(folding.frames, 1)
    summary = (f"{folding.samples} samples, {sum(stacks.values())} {unit}, "
               f"{percent * folding.unknown_frames:.1f} % of frames unknown, "
               f"{percent * folding.nameless_frames:.1f} % known by their library only.")
    folder = pathlib.Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "profile.folded").write_text(
        "".join(f"{stack} {weight}\n" for stack, weight in sorted(stacks.items())))
    (folder / "flame.html").write_text(page_of(tree_of(stacks), options.title, unit, summary))
    (folder / "speedscope.json").write_text(json.dumps(speedscope_of(stacks, options.title, unit)))
    print(summary)
    total = sum(stacks.values())
    for name, weight in sorted(own_weights(stacks).items(), key=lambda item: -item[1])[:10]:
        print(f"{100 * weight / total:6.2f} %  {name}")


def read_folded(path):
    stacks = {}
    for line in pathlib.Path(path).read_text().splitlines():
        stack, _, weight = line.rpartition(" ")
        stacks[stack] = stacks.get(stack, 0) + int(weight)
    if not stacks:
        sys.exit(f"flame_graph.py: {path} has no stacks")
    return stacks


def diff(options):
    before, after = read_folded(options.a), read_folded(options.b)
    before_total, after_total = sum(before.values()), sum(after.values())
    title = f"{options.a} → {options.b}"
    summary = "Width: the larger of both. Red: a larger part of all than before; blue: a smaller one."
    pathlib.Path(options.out).write_text(page_of(tree_of(after, before), title, "", summary))
    was, is_now = own_weights(before), own_weights(after)
    changes = {name: is_now.get(name, 0) / after_total - was.get(name, 0) / before_total
               for name in was.keys() | is_now.keys()}
    for name, change in sorted(changes.items(), key=lambda item: (-abs(item[1]), item[0]))[:20]:
        print(f"{100 * was.get(name, 0) / before_total:6.2f} % → "
              f"{100 * is_now.get(name, 0) / after_total:6.2f} %  {100 * change:+6.2f}  {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    maker = commands.add_parser("make")
    maker.add_argument("--out", required=True)
    maker.add_argument("--root", type=int, action="append", default=[])
    maker.add_argument("--off-cpu", action="store_true")
    maker.add_argument("--title", default="ringside")
    maker.set_defaults(run=make)
    differ = commands.add_parser("diff")
    differ.add_argument("--out", required=True)
    differ.add_argument("a")
    differ.add_argument("b")
    differ.set_defaults(run=diff)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
