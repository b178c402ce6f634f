// Turns wheel, drags and touches over an image into steps, zooms, pans and windows.
import type { Point } from "./view";

export interface Gestures {
  scroll(by: number): void;
  zoom(factor: number, at: Point): void;
  pan(dx: number, dy: number): void;
  window(dx: number, dy: number): void;
  /** Any press, before what it turns out to be. */
  press(): void;
  /** A click or tap that did not move. */
  tap(at: Point): void;
}

const NOTCH = 60;
/** A finger's way from slice to slice, and how far a tap may slip, in CSS pixels. */
const SWIPE = 14;
const SLIP = 4;

export function listenToPointer(target: HTMLElement, gestures: Gestures): void {
  listenToWheel(target, gestures);
  listenToDrag(target, gestures);
  target.addEventListener("contextmenu", (event) => event.preventDefault());
}

/** A mouse notch is one slice; a touchpad's small steps add up to one. */
function listenToWheel(target: HTMLElement, gestures: Gestures): void {
  const steps = inSteps(NOTCH);
  const turn = (event: WheelEvent) => {
    event.preventDefault();
    gestures.press();
    const pixels = event.deltaMode === 0 ? event.deltaY : event.deltaY * NOTCH;
    const part = Math.max(-NOTCH, Math.min(NOTCH, pixels));
    if (event.ctrlKey) {
      return gestures.zoom(Math.exp(-part / 300), { x: event.offsetX, y: event.offsetY });
    }
    const by = steps(part);
    if (by !== 0) gestures.scroll(-by);
  };
  target.addEventListener("wheel", turn, { passive: false });
}

/** Adds up small ways and gives the whole steps in them. */
function inSteps(length: number): (way: number) => number {
  let rest = 0;
  return (way) => {
    rest += way;
    const steps = Math.trunc(rest / length);
    rest -= steps * length;
    return steps;
  };
}

type Drag = (dx: number, dy: number) => void;

function listenToDrag(target: HTMLElement, gestures: Gestures): void {
  const down = new Map<number, Point>();
  let drag: Drag | null = null;
  let slipped = 0;
  let held: Point = { x: 0, y: 0 };

  target.addEventListener("pointerdown", (event) => {
    if (event.button > 2) return;
    gestures.press();
    if (down.size === 0) [slipped, held] = [0, pointOf(event)];
    down.set(event.pointerId, pointOf(event));
    drag = dragOf(event, gestures);
    target.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  target.addEventListener("pointermove", (event) => {
    const last = down.get(event.pointerId);
    if (!last) return;
    const now = pointOf(event);
    const before = [...down.values()];
    down.set(event.pointerId, now);
    slipped += Math.abs(now.x - last.x) + Math.abs(now.y - last.y);
    if (down.size > 1) {
      slipped = Infinity;
      return pinch(before, [...down.values()], gestures);
    }
    if (slipped <= SLIP) return;
    drag?.(now.x - held.x, now.y - held.y);
    held = now;
  });
  const stop = (event: PointerEvent) => {
    const known = down.delete(event.pointerId);
    if (known && event.type === "pointerup" && event.button === 0 && slipped <= SLIP) {
      gestures.tap(pointOf(event));
    }
    // a finger that stays after a pinch is not to scroll
    drag = null;
  };
  target.addEventListener("pointerup", stop);
  target.addEventListener("pointercancel", stop);
}

/** A finger swipes through slices; the mouse windows, or moves the image. */
function dragOf(event: PointerEvent, gestures: Gestures): Drag {
  if (event.pointerType === "touch") {
    const steps = inSteps(SWIPE);
    return (_, dy) => {
      const by = steps(dy);
      if (by !== 0) gestures.scroll(-by);
    };
  }
  return event.button === 0 && !event.shiftKey ? gestures.window : gestures.pan;
}

/** Two fingers move the image with their middle and zoom it with their distance. */
function pinch(before: readonly Point[], now: readonly Point[], gestures: Gestures): void {
  const [a, b] = [before, now].map(([one, two]) => ({
    x: (one.x + two.x) / 2,
    y: (one.y + two.y) / 2,
    apart: Math.hypot(one.x - two.x, one.y - two.y),
  }));
  gestures.pan(b.x - a.x, b.y - a.y);
  if (a.apart > 0 && b.apart > 0) gestures.zoom(b.apart / a.apart, b);
}

function pointOf(event: PointerEvent): Point {
  return { x: event.offsetX, y: event.offsetY };
}
