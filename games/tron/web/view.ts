// What is seen of a game of tron, from the bytes of views and deltas (games/tron/schema/tron.fbs and
// games/tron/delta.hpp). The bytes are foreign: whatever does not fit is refused as a whole.

import * as flatbuffers from "flatbuffers";
import { Config as ConfigTable } from "@tron/config";
import { View as ViewTable } from "@tron/view";

export enum Phase { waiting, countdown, started, finished, restarting }
export enum CycleState { racing, exploding, dead, winner, inserting }
export enum Direction { up, right, down, left }

export const seatsLimit = 6;
const cellsMax = 16384;
const explosionFrameMax = 11;

export interface Cell {
  x: number;
  y: number;
}

export interface Cycle extends Cell {
  number: number; // 1 to 6: seat + 1
  direction: Direction;
  state: CycleState;
  explosionFrame: number;
  ready: boolean;
  walls: Cell[]; // oldest first
}

export interface View {
  phase: Phase;
  count: number; // 3, 2, 1 in the countdown
  width: number;
  height: number;
  cycles: Cycle[];
  bots: number; // a bit for each number that a bot of the game has, the lowest for 1
}

export interface Config {
  width: number;
  height: number;
  seats: number;
}

export function decodeView(bytes: Uint8Array): View | undefined {
  try {
    return read(ViewTable.getRootAsView(new flatbuffers.ByteBuffer(bytes)));
  } catch {
    return undefined;
  }
}

function read(root: ViewTable): View | undefined {
  const gridWidth = root.gridWidth();
  const count = root.cyclesLength();
  const wallCount = root.wallsLength();
  if (root.phase() > Phase.restarting || gridWidth === 0 || gridWidth > cellsMax ||
      root.width() > cellsMax || root.height() > cellsMax || count > seatsLimit ||
      wallCount > cellsMax + seatsLimit || root.bots() >> seatsLimit !== 0) {
    return undefined;
  }
  const cycles: Cycle[] = [];
  let wallsTaken = 0;
  for (let i = 0; i < count; ++i) {
    const from = root.cycles(i)!;
    const end = wallsTaken + from.wallCount();
    if (from.number() < 1 || from.number() > seatsLimit || from.direction() > Direction.left ||
        from.state() > CycleState.inserting || from.explosionFrame() > explosionFrameMax ||
        end > wallCount || cycles.some((cycle) => cycle.number === from.number())) {
      return undefined;
    }
    const walls: Cell[] = [];
    for (; wallsTaken < end; ++wallsTaken) {
      const cell = (root.walls(wallsTaken) ?? 0) >> 2;
      walls.push({ x: cell % gridWidth, y: Math.floor(cell / gridWidth) });
    }
    cycles.push({
      number: from.number(),
      x: from.x(),
      y: from.y(),
      direction: from.direction(),
      state: from.state(),
      explosionFrame: from.explosionFrame(),
      ready: from.ready(),
      walls,
    });
  }
  return wallsTaken === wallCount
    ? { phase: root.phase(), count: root.count(), width: root.width(), height: root.height(), cycles,
        bots: root.bots() }
    : undefined;
}

const step: Record<Direction, Cell> = {
  [Direction.up]: { x: 0, y: -1 },
  [Direction.right]: { x: 1, y: 0 },
  [Direction.down]: { x: 0, y: 1 },
  [Direction.left]: { x: -1, y: 0 },
};

/// Makes the next view of this one. False: it is unspecified then.
export function applyDelta(bytes: Uint8Array, view: View): boolean {
  let at = 0;
  const byte = (): number => bytes[at++] ?? 0; // beyond the end is found out below
  const first = byte();
  if ((first & 7) > Phase.restarting || first >> 5 !== view.cycles.length) {
    return false;
  }
  view.phase = first & 7;
  view.count = (first >> 3) & 3;
  for (const cycle of view.cycles) {
    const bits = byte();
    const state = (bits >> 2) & 7;
    if (state > CycleState.inserting) {
      return false;
    }
    cycle.direction = bits & 3;
    cycle.state = state;
    if (bits & 0x40) { // a wall where it was
      if (cycle.walls.length >= cellsMax + seatsLimit) {
        return false;
      }
      cycle.walls.push({ x: cycle.x, y: cycle.y });
    }
    if (bits & 0x20) {
      const by = step[cycle.direction];
      cycle.x += by.x;
      cycle.y += by.y;
    }
    if (bits & 0x80) {
      const more = byte();
      if ((more & 15) > explosionFrameMax) {
        return false;
      }
      cycle.explosionFrame = more & 15;
      cycle.ready = (more & 16) !== 0;
      if (more & 32) {
        cycle.walls = [];
      }
    }
  }
  return at === bytes.length;
}

export function encodeConfig(config: Config): Uint8Array {
  const builder = new flatbuffers.Builder(64);
  ConfigTable.startConfig(builder);
  ConfigTable.addWidth(builder, config.width);
  ConfigTable.addHeight(builder, config.height);
  ConfigTable.addSeats(builder, config.seats);
  builder.finish(ConfigTable.endConfig(builder));
  return builder.asUint8Array().slice();
}

export function decodeSeats(config: Uint8Array): number {
  if (config.length === 0) {
    return 1;
  }
  try {
    const seats = ConfigTable.getRootAsConfig(new flatbuffers.ByteBuffer(config)).seats();
    return Math.min(Math.max(seats, 1), seatsLimit);
  } catch {
    return 1;
  }
}
