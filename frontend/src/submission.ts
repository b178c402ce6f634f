// Makes the one body that is sent, and sent again, for a confirmed item.
import type { ScoreBody } from "./api";
import type { Panes } from "./panes";
import type { Rating } from "./rating";

export function makeSubmission(
  rating: Rating,
  base: number,
  activeMs: number,
  panes: Pick<Panes, "conduct" | "display">,
): ScoreBody {
  return {
    client_key: makeKey(),
    answers: rating.answers,
    comment: rating.comment.trim(),
    marks: rating.marks,
    base_revision: base,
    change_reason: rating.why?.trim() ?? "",
    active_ms: activeMs,
    conduct: describeConduct(panes, base > 0),
  };
}

/** How the item was looked at, as the start page declares; who changes a score has looked. */
function describeConduct(panes: Pick<Panes, "conduct" | "display">, again: boolean): ScoreBody["conduct"] {
  const { slices, window, mask, seen, zoom } = panes.conduct();
  const display = panes.display();
  const atFirst = display?.three ? 3 : 1;
  const unmoved = slices.size <= atFirst && (display?.slices ?? 1) > 1;
  return {
    slices: slices.size,
    windows: window,
    mask_toggles: mask,
    screen: `${innerWidth}x${innerHeight}@${devicePixelRatio}`,
    zoom: Number(zoom.toFixed(2)),
    without_looking: !again && (unmoved || !seen),
  };
}

/** A random UUID, also on plain http where crypto.randomUUID is missing. */
export function makeKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}
