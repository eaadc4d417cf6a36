// Playback: a recorded match on a GameView, with pause, steps, speed, and any place at once.

import { byId } from "./dom";
import type { GameView } from "./game_view";
import type { Recording } from "./recording";

export class Playback {
  private readonly bar = byId("replay-bar");
  private readonly pauseButton = byId<HTMLButtonElement>("replay-pause");
  private readonly position = byId<HTMLInputElement>("replay-position");
  private readonly speed = byId<HTMLSelectElement>("replay-speed");
  private readonly place = byId("replay-place");
  private readonly ends = new AbortController();

  private frame = -1;
  private playing = true;
  private timer: number | undefined;

  /// `damaged` is called when a frame does not fit the one before.
  constructor(private readonly recording: Recording, private readonly view: GameView,
              private readonly damaged: () => void) {
    const on = (element: HTMLElement, event: string, act: (event: Event) => void) =>
      element.addEventListener(event, act, { signal: this.ends.signal });
    this.position.max = String(recording.frames.length - 1);
    on(this.pauseButton, "click", () => this.toggle());
    on(byId("replay-back"), "click", () => this.stepTo(this.frame - 1));
    on(byId("replay-forward"), "click", () => this.stepTo(this.frame + 1));
    on(this.position, "input", () => this.stepTo(Number(this.position.value)));
    on(this.speed, "change", () => { this.enter(); this.schedule(); });
    on(document.body, "keydown", (event) => this.key(event as KeyboardEvent));
    this.bar.hidden = false;
    this.enter();
    this.goOnFrom(0);
  }

  close(): void {
    window.clearTimeout(this.timer);
    this.ends.abort();
    this.bar.hidden = true;
  }

  private tickMs(): number {
    return this.recording.tickMs / Number(this.speed.value);
  }

  private enter(): void {
    this.view.enter(undefined, this.tickMs(), this.recording.config);
  }

  private get atEnd(): boolean {
    return this.frame >= this.recording.frames.length - 1;
  }

  private toggle(): void {
    if (this.atEnd) {
      this.playing = true;
      this.goOnFrom(0);
    } else {
      this.playing = !this.playing;
      this.schedule();
    }
  }

  private stepTo(frame: number): void {
    this.playing = false;
    this.goOnFrom(Math.min(Math.max(frame, 0), this.recording.frames.length - 1));
  }

  private goOnFrom(frame: number): void {
    if (this.show(frame)) {
      this.schedule();
    } else {
      this.close();
      this.damaged();
    }
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.key === " " && !/^(INPUT|SELECT|BUTTON)$/.test(target.tagName)) {
      event.preventDefault();
      this.toggle();
    } else if (event.key === "," || event.key === ".") {
      this.stepTo(this.frame + (event.key === "," ? -1 : 1));
    }
  }

  private schedule(): void {
    window.clearTimeout(this.timer);
    if (this.playing && !this.atEnd) {
      this.timer = window.setTimeout(() => this.goOnFrom(this.frame + 1), this.tickMs());
    }
    const text = this.playing && !this.atEnd ? "pause" : "play";
    if (this.pauseButton.textContent !== text) {
      this.pauseButton.textContent = text;
    }
  }

  /// From the frame shown now if it is the next one; else from the last whole view before it. False:
  /// a frame does not fit the one before.
  private show(wanted: number): boolean {
    const frames = this.recording.frames;
    if (this.frame < 0 || frames[wanted]!.nicknames !== frames[this.frame]!.nicknames) {
      this.view.players(frames[wanted]!.nicknames);
    }
    let from = wanted;
    if (wanted !== this.frame + 1) {
      while (!frames[from]!.whole) {
        --from;
      }
    }
    for (let i = from; i <= wanted; ++i) {
      const frame = frames[i]!;
      const shown = i === wanted;
      if (!(frame.whole ? this.view.view(frame.bytes, shown) : this.view.delta(frame.bytes, shown))) {
        return false;
      }
    }
    this.frame = wanted;
    this.position.value = String(wanted);
    this.place.textContent = `tick ${frames[wanted]!.tick}`;
    return true;
  }
}
