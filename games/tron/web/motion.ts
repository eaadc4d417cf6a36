// Motion: how a cycle is drawn on its way. Views come a tick apart when the network is even, and
// early, late or several at once when it is not. A cycle always goes on from where it is drawn,
// through each cell it has driven through, in a tick's time, but never faster than speedMax: what
// came late is caught up with, and nothing jumps.

import type { Cell } from "./view";

const speedMax = 2;          // cells a tick
const cellsBehindMax = 8;    // further behind, it is shown where it is

export class Motion {
  private points: Cell[]; // where it was drawn at startMs, the cells from there, the present cell
  private startMs = 0;
  private lengthInCells = 0;

  constructor(at: Cell, private readonly tickMs: number) {
    this.points = [{ x: at.x, y: at.y }];
  }

  /// The cell of the next view.
  goTo(cell: Cell, nowMs: number): void {
    const last = this.points.at(-1)!;
    const step = distance(last, cell);
    if (step === 0) {
      return;
    }
    const points = [...this.path(nowMs), { x: cell.x, y: cell.y }];
    this.lengthInCells = length(points);
    const isOneWay = step === 1 && this.lengthInCells <= cellsBehindMax;
    this.points = isOneWay ? points : points.slice(-1);
    this.startMs = nowMs;
  }

  moves(nowMs: number): boolean {
    return this.points.length > 1 && nowMs - this.startMs < this.durationMs;
  }

  /// Where it is drawn, and the cells still ahead, the present one last.
  path(nowMs: number): [Cell, ...Cell[]] {
    let left = this.moves(nowMs)
      ? this.lengthInCells * Math.max(0, nowMs - this.startMs) / this.durationMs
      : Infinity;
    for (let next = 1; next < this.points.length; ++next) {
      const from = this.points[next - 1]!;
      const to = this.points[next]!;
      const step = distance(from, to);
      if (left < step) {
        const part = left / step;
        return [{ x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part },
                ...this.points.slice(next)];
      }
      left -= step;
    }
    return [this.points.at(-1)!];
  }

  private get durationMs(): number {
    return this.tickMs * Math.max(1, this.lengthInCells / speedMax);
  }
}

/// Cycles drive along rows and columns.
function distance(a: Cell, b: Cell): number {
  return Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
}

function length(points: Cell[]): number {
  return points.slice(1).reduce((sum, to, index) => sum + distance(points[index]!, to), 0);
}
