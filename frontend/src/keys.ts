// The keyboard map of the rating room: a key press becomes one command or nothing.
import type { StudyInfo } from "./api";

export type Command =
  | { kind: "digit"; value: number }
  | { kind: "scroll"; by: number }
  | { kind: "opacity"; by: number }
  | { kind: "zoom"; by: number }
  | { kind: "level" | "width"; by: number }
  | { kind: "pane"; to: number }
  | { kind: "lesion"; by: 1 | -1 }
  | { kind: Simple };

type Simple =
  | "confirm"
  | "clear"
  | "cannot"
  | "comment"
  | "marks"
  | "undo"
  | "problem"
  | "plane"
  | "fit"
  | "close"
  | "preset"
  | "invert"
  | "reset"
  | "mask"
  | "style"
  | "hide"
  | "pause"
  | "stay"
  | "help"
  | "first"
  | "last";

export interface Press {
  readonly key: string;
  readonly code: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

const PLAIN: Record<string, Command> = {
  enter: { kind: "confirm" },
  backspace: { kind: "clear" },
  n: { kind: "cannot" },
  c: { kind: "comment" },
  w: { kind: "marks" },
  u: { kind: "undo" },
  a: { kind: "pane", to: 0 },
  b: { kind: "pane", to: 1 },
  arrowleft: { kind: "pane", to: 0 },
  arrowright: { kind: "pane", to: 1 },
  f: { kind: "problem" },
  x: { kind: "plane" },
  z: { kind: "close" },
  r: { kind: "reset" },
  m: { kind: "mask" },
  o: { kind: "style" },
  p: { kind: "pause" },
  e: { kind: "stay" },
  " ": { kind: "hide" },
  "?": { kind: "help" },
  arrowup: { kind: "scroll", by: 1 },
  arrowdown: { kind: "scroll", by: -1 },
  pageup: { kind: "scroll", by: 5 },
  pagedown: { kind: "scroll", by: -5 },
  home: { kind: "first" },
  end: { kind: "last" },
  "[": { kind: "opacity", by: -0.1 },
  "]": { kind: "opacity", by: 0.1 },
  "+": { kind: "zoom", by: 1.25 },
  "=": { kind: "zoom", by: 1.25 },
  "-": { kind: "zoom", by: 0.8 },
  _: { kind: "zoom", by: 0.8 },
};

/** Keys that act once however long they are held. */
const ONCE = new Set(["confirm", "clear", "digit", "mask", "style", "plane", "pause", "stay", "undo", "close", "preset", "invert"]);

export function interpret(press: Press): Command | null {
  const bracket = press.key === "[" || press.key === "]"; // AltGr on many layouts
  if (!bracket && (press.ctrlKey || press.metaKey || press.altKey)) return null;
  const digit = digitOf(press);
  if (digit !== null) return { kind: "digit", value: digit };
  const key = letterOf(press);
  if (key === "i" || key === "k") {
    const by = key === "i" ? -1 : 1;
    return { kind: press.shiftKey ? "width" : "level", by };
  }
  if (key === "g") return { kind: "lesion", by: press.shiftKey ? -1 : 1 };
  if (key === "v") return { kind: press.shiftKey ? "invert" : "preset" };
  return PLAIN[key] ?? null;
}

export function actsOnce(command: Command): boolean {
  return ONCE.has(command.kind);
}

/** The letter, by its place on the board where the layout has no Latin letters. */
function letterOf(press: Press): string {
  const place = /^Key([A-Z])$/.exec(press.code);
  const foreign = press.key.length === 1 && press.key > "\u007f";
  return (foreign && place ? place[1] : press.key).toLowerCase();
}

/** Digits of the top row on any layout, and of the numeric pad with Num Lock on. */
function digitOf(press: Press): number | null {
  if (/^[0-9]$/.test(press.key)) return Number(press.key);
  const row = /^Digit([0-9])$/.exec(press.code);
  return row && !press.shiftKey && !"[]?+-".includes(press.key) ? Number(row[1]) : null;
}

/** What only some studies have, and so the keys for it. */
type Needs = "scores" | "marks" | "pairs" | "changes";

/** The key card after the scores' own keys, in the order it is shown. */
export const KEY_CARD: readonly (readonly [keys: string, does: string, needs?: Needs])[] = [
  ["Enter", "confirm and go on"],
  ["Backspace", "clear the score", "scores"],
  ["N", "cannot rate", "scores"],
  ["C", "comment", "scores"],
  ["W", "say what is wrong", "marks"],
  ["A B or ← →", "left or right image", "pairs"],
  ["U", "back to the last item", "changes"],
  ["F", "ask or report something", "scores"],
  ["↑ ↓ or wheel", "next or previous slice"],
  ["PgUp PgDn", "five slices"],
  ["Home End", "first or last slice"],
  ["G, Shift + G", "next, previous marked part"],
  ["X", "change plane, or all three"],
  ["Space (hold)", "hide the mask"],
  ["M", "mask on or off"],
  ["O", "fill, outline or both"],
  ["[ ]", "less or more opacity"],
  ["Left-drag", "across: contrast, up and down: brightness"],
  ["I K", "brighter, darker"],
  ["Shift + I K", "more, less contrast"],
  ["V, Shift + V", "next window, invert"],
  ["Right- or Shift-drag", "move the image"],
  ["+ − or Ctrl + wheel", "zoom"],
  ["Z", "close look, and back"],
  ["Touch", "swipe: slices, two fingers: move and zoom"],
  ["R", "reset window and zoom"],
  ["P", "pause"],
  ["E", "stay signed in, when you are asked", "scores"],
  ["?", "this list"],
];

/** The keys that do something in a study, each with what it does. */
export function listKeys(
  { marks, mode, revisable }: Pick<StudyInfo, "marks" | "mode" | "revisable">,
): readonly (readonly [keys: string, does: string])[] {
  return pickKeys({ scores: true, marks: marks.length > 0, pairs: mode === "side_by_side", changes: revisable });
}

/** The same where nothing is scored: the keys of the image alone. */
export function listImageKeys(): readonly (readonly [keys: string, does: string])[] {
  return pickKeys({ scores: false, marks: false, pairs: false, changes: false });
}

function pickKeys(has: Record<Needs, boolean>): readonly (readonly [keys: string, does: string])[] {
  return KEY_CARD.filter(([, , needs]) => !needs || has[needs]).map(([keys, does]) => [keys, does]);
}
