// The few marks around an image, and what the empty stage says: loading, words.
import { make, setText } from "./dom";
import { scaleBarLength, type Letters } from "./geometry";
import type { Bytes } from "./loading";

export interface Marks {
  readonly letters: Letters;
  /** CSS pixels per mm. */
  readonly scale: number;
  readonly slice: number;
  readonly slices: number;
  readonly room: number;
}

/** Letters, scale bar and slice number of one pane. */
export interface MarkPart {
  readonly elements: HTMLElement[];
  show(marks: Marks | null): void;
}

export interface Furniture {
  readonly elements: HTMLElement[];
  showLoading(bytes: Bytes | null): void;
  /** Words in the middle of an empty stage, with one thing to do. */
  say(text: string, action?: { label: string; act(): void }): void;
}

const SIDES = ["left", "right", "top", "bottom"];

export function makeMarks(): MarkPart {
  const letters = SIDES.map((side) => make("span", { class: `letter ${side}` }));
  const bar = make("span", { class: "bar" });
  const length = make("span");
  const scale = make("div", { class: "scale" }, bar, length);
  const number = make("span", { class: "slice-number" });
  const elements = [...letters, scale, number];
  return {
    elements,
    show(marks) {
      for (const mark of elements) mark.hidden = marks === null;
      if (!marks) return;
      letters.forEach((letter, side) => setText(letter, marks.letters[side]));
      const millimetres = scaleBarLength(marks.room / 4 / marks.scale);
      bar.style.width = `${millimetres * marks.scale}px`;
      setText(length, `${millimetres} mm`);
      setText(number, `${marks.slice + 1} / ${marks.slices}`);
    },
  };
}

export function makeFurniture(): Furniture {
  const loading = makeLoading();
  const words = make("div", { class: "stage-words", role: "alert" });
  return {
    elements: [...loading.elements, words],
    showLoading: loading.show,
    say(text, action) {
      const button = action && make("button", { type: "button", onclick: action.act }, action.label);
      words.replaceChildren(...(text ? [make("p", {}, text)] : []), ...(button ? [button] : []));
    },
  };
}

function makeLoading() {
  const done = make("span");
  const bar = make(
    "div",
    { class: "loading", role: "progressbar", "aria-label": "Loading the image" },
    done,
  );
  const text = make("p", { class: "loading-text" });
  const show = (bytes: Bytes | null) => {
    bar.hidden = text.hidden = bytes === null;
    if (!bytes) return;
    const percent = bytes.total ? Math.min(100, Math.round((100 * bytes.got) / bytes.total)) : 0;
    done.style.width = `${percent}%`;
    bar.setAttribute("aria-valuenow", String(percent));
    setText(text, bytes.total ? `Loading ${sayBytes(bytes)}` : "Loading…");
  };
  return { elements: [bar, text], show };
}

function sayBytes({ got, total }: Bytes): string {
  const mega = (bytes: number) => (bytes / 1e6).toFixed(1);
  return `${mega(got)} of ${mega(total)} MB`;
}
