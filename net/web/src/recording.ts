// Recorded matches: core/schema/recording.fbs. The bytes are foreign: what cannot be read is refused.

import * as flatbuffers from "flatbuffers";
import { Content } from "@recording/content";
import { Entry } from "@recording/entry";
import { Frame } from "@recording/frame";
import { Start } from "@recording/start";

const formatVersion = 1;
const seatsMax = 64;
const tickMsMin = 1;
const tickMsMax = 10_000;

/// The view after a tick: whole, or how it differs from that of the frame before.
export interface RecordedFrame {
  tick: number;
  whole: boolean;
  bytes: Uint8Array;
  nicknames: Map<number, string>; // by seat; the same object until they change
}

export interface Recording {
  game: string;
  type: string;
  config: Uint8Array;
  tickMs: number;
  frames: RecordedFrame[]; // at least one, and the first is whole
}

/// The recording, or why it is none.
export function readRecording(file: Uint8Array): Recording | string {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let recording: Recording | undefined;
  let nicknames = new Map<number, string>();
  let at = 0;
  try {
    while (at + 4 <= file.length) {
      const bytes = view.getUint32(at, true);
      if (bytes > file.length - at - 4) {
        break; // whoever wrote it could not finish
      }
      // A copy of its own: an entry must not read beyond its end.
      const buffer = new flatbuffers.ByteBuffer(file.slice(at + 4, at + 4 + bytes));
      at += 4 + bytes;
      if (!Entry.bufferHasIdentifier(buffer)) {
        return "This is not a recorded match.";
      }
      const entry = Entry.getRootAsEntry(buffer);
      if (entry.contentType() === Content.Start && recording === undefined) {
        const start = entry.content(new Start()) as Start;
        if (start.format() !== formatVersion) {
          return "This match was recorded by another version.";
        }
        const tickMs = Number(start.tickNs()) / 1e6;
        recording = { game: start.game() ?? "", type: start.gameType() ?? "",
                      config: start.configArray()?.slice() ?? new Uint8Array(),
                      tickMs: Math.min(Math.max(tickMs, tickMsMin), tickMsMax), frames: [] };
      } else if (entry.contentType() === Content.Frame && recording !== undefined) {
        const frame = entry.content(new Frame()) as Frame;
        const whole = frame.viewArray();
        if (frame.nicknamesLength() > 0) {
          nicknames = new Map();
          for (let seat = 0; seat < Math.min(frame.nicknamesLength(), seatsMax); ++seat) {
            nicknames.set(seat, frame.nicknames(seat));
          }
        }
        recording.frames.push({ tick: Number(frame.tick()), whole: whole !== null,
                                bytes: whole ?? frame.deltaArray() ?? new Uint8Array(), nicknames });
      } else {
        break;
      }
    }
  } catch {
    return "This recording is damaged.";
  }
  return recording?.frames[0]?.whole ? recording : "This is not a recorded match.";
}
