// Arena: the canvas. Walls are drawn when the view changes, everything that moves in every frame:
// cycles are shown on their way from where they were to the present cell (motion.ts). A wide arena on
// a phone held upright is shown turned: what is its right is at the bottom then.

import { Motion } from "./motion";
import { lookOf } from "./palette";
import { type Cell, type Cycle, CycleState, Direction, Phase, type View } from "./view";

const cellHeightMax = 1.6; // of its width: arenas made for terminals are wide
const explosionMs = 600;
const turnedWhenWider = 1.6; // than it is high, where the room is higher than wide

export class Arena {
  readonly element = document.createElement("div");
  private readonly walls = document.createElement("canvas");
  private readonly moving = document.createElement("canvas");
  private readonly calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  private readonly resized = new ResizeObserver(() => this.fit());

  private view: View | undefined;
  private readonly motions = new Map<number, Motion>();
  private exploded = new Map<number, number>(); // number → when, ms
  private tickMs = 100;
  private ownNumber = 0;
  private nicknames = new Map<number, string>(); // by seat
  private frame = 0;
  private cell = { width: 8, height: 8 };
  private isTurned = false;

  /// By what a direction on the screen differs from the arena's, in quarters clockwise.
  get turned(): number {
    return this.isTurned ? 1 : 0;
  }

  constructor() {
    this.element.className = "arena";
    for (const canvas of [this.walls, this.moving]) {
      canvas.setAttribute("aria-hidden", "true");
      this.element.append(canvas);
    }
    this.resized.observe(this.element);
  }

  close(): void {
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
  }

  enter(ownNumber: number, tickMs: number): void {
    this.ownNumber = ownNumber;
    this.tickMs = tickMs;
  }

  /// `continuous`: it is the view one tick after the one shown before.
  players(nicknames: Map<number, string>): void {
    this.nicknames = nicknames;
  }

  show(view: View, continuous: boolean): void {
    const now = performance.now();
    const sizeChanged = this.view?.width !== view.width || this.view.height !== view.height;
    for (const number of [...this.motions.keys()]) {
      if (!view.cycles.some((cycle) => cycle.number === number)) {
        this.motions.delete(number);
      }
    }
    for (const cycle of view.cycles) {
      const motion = continuous ? this.motions.get(cycle.number) : undefined;
      if (motion === undefined) {
        this.motions.set(cycle.number, new Motion(cycle, this.tickMs));
      } else {
        motion.goTo(cycle, now);
      }
      if (cycle.state === CycleState.exploding) {
        if (!this.exploded.has(cycle.number)) {
          this.exploded.set(cycle.number, now);
        }
      } else if (cycle.state !== CycleState.dead) {
        this.exploded.delete(cycle.number);
      }
    }
    this.view = view;
    if (sizeChanged) {
      this.fit();
    } else {
      this.drawWalls();
      this.animate();
    }
  }

  // ---- size ------------------------------------------------------------------------------------

  private fit(): void {
    const view = this.view;
    const box = this.element.getBoundingClientRect();
    if (view === undefined || box.width === 0 || box.height === 0) {
      return;
    }
    this.isTurned =
      box.height > box.width && view.width > view.height * turnedWhenWider;
    const room = this.isTurned ? { width: box.height, height: box.width } : box;
    const width = Math.min(room.width / view.width, room.height / view.height);
    const height = Math.min(room.height / view.height, width * cellHeightMax);
    this.cell = { width, height };
    const scale = window.devicePixelRatio || 1;
    const size = { width: width * view.width, height: height * view.height };
    const shown = this.isTurned ? { width: size.height, height: size.width } : size;
    for (const canvas of [this.walls, this.moving]) {
      canvas.width = Math.round(shown.width * scale);
      canvas.height = Math.round(shown.height * scale);
      canvas.style.width = `${shown.width}px`;
      canvas.style.height = `${shown.height}px`;
      const paint = canvas.getContext("2d")!;
      if (this.isTurned) {
        paint.setTransform(0, scale, -scale, 0, shown.width * scale, 0);
      } else {
        paint.setTransform(scale, 0, 0, scale, 0, 0);
      }
    }
    this.drawWalls();
    this.animate();
  }

  private centre(cell: Cell): Cell {
    return { x: (cell.x + 0.5) * this.cell.width, y: (cell.y + 0.5) * this.cell.height };
  }

  // ---- what stands -----------------------------------------------------------------------------

  private drawWalls(): void {
    const view = this.view;
    if (view === undefined) {
      return;
    }
    const paint = this.walls.getContext("2d")!;
    clear(paint);
    this.drawFloor(paint, view);
    for (const cycle of view.cycles) {
      this.strokeWalls(paint, cycle);
    }
  }

  private drawFloor(paint: CanvasRenderingContext2D, view: View): void {
    const { width, height } = this.cell;
    paint.fillStyle = "#0d1524";
    paint.fillRect(width / 2, height / 2, (view.width - 1) * width, (view.height - 1) * height);
    paint.strokeStyle = "rgba(120, 160, 220, 0.13)";
    paint.lineWidth = 1;
    paint.beginPath();
    for (let x = 5; x < view.width; x += 5) {
      paint.moveTo(x * width, height);
      paint.lineTo(x * width, (view.height - 1) * height);
    }
    for (let y = 5; y < view.height; y += 5) {
      paint.moveTo(width, y * height);
      paint.lineTo((view.width - 1) * width, y * height);
    }
    paint.stroke();
    // The outermost cells kill: the frame stands in their middle.
    paint.strokeStyle = "#7388ad";
    paint.lineWidth = Math.max(2, width * 0.25);
    paint.strokeRect(width / 2, height / 2, (view.width - 1) * width, (view.height - 1) * height);
  }

  private strokeWalls(paint: CanvasRenderingContext2D, cycle: Cycle): void {
    if (cycle.walls.length === 0) {
      return;
    }
    const path = new Path2D();
    let last: Cell | undefined;
    for (const wall of cycle.walls) {
      const at = this.centre(wall);
      const joined =
        last !== undefined && Math.abs(last.x - wall.x) + Math.abs(last.y - wall.y) === 1;
      if (joined) {
        path.lineTo(at.x, at.y);
      } else {
        path.moveTo(at.x, at.y);
        path.lineTo(at.x + 0.01, at.y); // a wall that stands alone is a dot
      }
      last = wall;
    }
    const look = lookOf(cycle.number);
    const thick = Math.max(2, this.cell.width * look.width);
    paint.lineCap = "round";
    paint.lineJoin = "round";
    paint.strokeStyle = look.colour;
    paint.setLineDash([]);
    for (const [glow, alpha] of [[1.9, 0.1], [0.9, 0.2]] as const) {
      paint.globalAlpha = alpha;
      paint.lineWidth = thick + Math.max(5, this.cell.width) * glow;
      paint.stroke(path);
    }
    paint.globalAlpha = cycle.state === CycleState.dead ? 0.45 : 1;
    paint.lineWidth = thick;
    paint.setLineDash(look.dash.map((part) => part * this.cell.width));
    paint.lineCap = look.dash.length > 0 ? "butt" : "round";
    paint.stroke(path);
    paint.setLineDash([]);
    paint.globalAlpha = 1;
  }

  // ---- what moves ------------------------------------------------------------------------------

  private animate(): void {
    cancelAnimationFrame(this.frame);
    const now = performance.now();
    this.drawMoving(now);
    const moves =
      !this.calm.matches && [...this.motions.values()].some((motion) => motion.moves(now));
    const burns = [...this.exploded.values()].some((since) => now - since < explosionMs);
    if (moves || burns) {
      this.frame = requestAnimationFrame(() => this.animate());
    }
  }

  private drawMoving(now: number): void {
    const view = this.view;
    if (view === undefined) {
      return;
    }
    const paint = this.moving.getContext("2d")!;
    clear(paint);
    if (view.phase === Phase.waiting) {
      return; // nobody has a place yet
    }
    for (const cycle of view.cycles) {
      const path = this.calm.matches ? undefined : this.motions.get(cycle.number)?.path(now);
      const [at, ...ahead] = path ?? [cycle];
      const place = this.centre(at);
      this.drawTrailTo(paint, cycle, at, ahead);
      const since = this.exploded.get(cycle.number);
      if (since !== undefined) {
        this.drawExplosion(paint, cycle, place, (now - since) / explosionMs);
      } else if (cycle.state !== CycleState.dead) {
        this.drawCycle(paint, cycle, place);
      }
      if (view.phase === Phase.countdown) {
        this.drawName(paint, cycle, place, view.width);
      }
    }
  }

  /// The wall being laid grows with its cycle; `at` and `ahead` are the cycle's path.
  private drawTrailTo(paint: CanvasRenderingContext2D, cycle: Cycle, at: Cell, ahead: Cell[]): void {
    const last = cycle.walls.at(-1);
    const isAhead = ahead.some((cell) => cell.x === last?.x && cell.y === last.y);
    if (cycle.state !== CycleState.inserting || last === undefined || isAhead ||
        Math.abs(last.x - at.x) + Math.abs(last.y - at.y) > 1) {
      return;
    }
    const look = lookOf(cycle.number);
    const start = this.centre(last);
    const to = this.centre(at);
    paint.strokeStyle = look.colour;
    paint.lineWidth = Math.max(2, this.cell.width * look.width);
    paint.lineCap = "round";
    paint.beginPath();
    paint.moveTo(start.x, start.y);
    paint.lineTo(to.x, to.y);
    paint.stroke();
  }

  private drawCycle(paint: CanvasRenderingContext2D, cycle: Cycle, at: Cell): void {
    const look = lookOf(cycle.number);
    const own = cycle.number === this.ownNumber;
    const size = Math.max(6, Math.min(this.cell.width, this.cell.height) * (own ? 1.05 : 0.9));
    paint.save();
    paint.translate(at.x, at.y);
    paint.rotate((cycle.direction - Direction.right) * Math.PI / 2);
    paint.fillStyle = look.colour;
    paint.globalAlpha = 0.3;
    paint.beginPath();
    paint.arc(0, 0, size * 1.15, 0, 2 * Math.PI);
    paint.fill();
    paint.globalAlpha = 1;
    paint.beginPath();
    paint.moveTo(size * 0.75, 0);
    paint.lineTo(-size * 0.5, size * 0.6);
    paint.lineTo(-size * 0.25, 0);
    paint.lineTo(-size * 0.5, -size * 0.6);
    paint.closePath();
    paint.fill();
    if (own) {
      paint.strokeStyle = "#ffffff";
      paint.lineWidth = Math.max(1.5, size * 0.14);
      paint.stroke();
    }
    paint.restore();
  }

  private drawExplosion(paint: CanvasRenderingContext2D, cycle: Cycle, at: Cell, age: number): void {
    const look = lookOf(cycle.number);
    const size = Math.max(6, this.cell.width);
    if (age >= 1 || this.calm.matches) {
      paint.strokeStyle = look.colour;
      paint.lineWidth = Math.max(2, size * 0.2);
      paint.beginPath();
      paint.moveTo(at.x - size / 2, at.y - size / 2);
      paint.lineTo(at.x + size / 2, at.y + size / 2);
      paint.moveTo(at.x + size / 2, at.y - size / 2);
      paint.lineTo(at.x - size / 2, at.y + size / 2);
      paint.stroke();
      return;
    }
    const reach = size * (0.6 + 3.2 * Math.sqrt(age));
    paint.globalAlpha = 1 - age;
    paint.fillStyle = look.colour;
    for (let i = 0; i < 14; ++i) {
      const angle = i * 2.399963; // the golden angle: no two sparks in a row
      const far = reach * (0.45 + 0.55 * ((i * 7) % 14) / 14);
      paint.beginPath();
      paint.arc(at.x + Math.cos(angle) * far, at.y + Math.sin(angle) * far,
                size * 0.22 * (1 - age) + 1, 0, 2 * Math.PI);
      paint.fill();
    }
    paint.strokeStyle = "#ffffff";
    paint.lineWidth = 2 * (1 - age) + 0.5;
    paint.beginPath();
    paint.arc(at.x, at.y, reach * 0.8, 0, 2 * Math.PI);
    paint.stroke();
    paint.globalAlpha = 1;
  }

  /// While the start is counted down, everybody finds their cycle.
  private drawName(paint: CanvasRenderingContext2D, cycle: Cycle, at: Cell, width: number): void {
    const own = cycle.number === this.ownNumber;
    const toTheRight = cycle.x < width / 2;
    paint.font = `${own ? "bold " : ""}${Math.max(13, this.cell.width * 1.1)}px system-ui, sans-serif`;
    paint.textAlign = toTheRight ? "left" : "right";
    paint.textBaseline = "middle";
    paint.fillStyle = lookOf(cycle.number).colour;
    const gap = Math.max(14, this.cell.width * 1.5);
    paint.save();
    paint.translate(at.x, at.y);
    if (this.isTurned) {
      paint.rotate(-Math.PI / 2);
      paint.textAlign = "center";
      paint.translate(0, toTheRight ? gap : -gap);
    } else {
      paint.translate(toTheRight ? gap : -gap, 0);
    }
    const name = this.nicknames.get(cycle.number - 1) || `player ${cycle.number}`;
    paint.fillText(own ? "you" : name, 0, 0);
    paint.restore();
  }
}

function clear(paint: CanvasRenderingContext2D): void {
  paint.save();
  paint.resetTransform();
  paint.clearRect(0, 0, paint.canvas.width, paint.canvas.height);
  paint.restore();
}
