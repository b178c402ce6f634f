// View controls in the rail: every key and drag over the image, also by mouse.
import { clampOpacity, type Colour, type MaskStyle } from "./display";
import { make } from "./dom";
import type { Convention, Plane } from "./geometry";
import type { Command } from "./keys";
import type { Change, Seen } from "./panes";
import { makeButton, makeChoice, makeSlider, makeStepper, makeToggle } from "./widgets";
import type { Preset } from "./window";

export interface ControlActions {
  command(command: Command): void;
  set(change: Change): void;
}

export interface Controls {
  readonly element: HTMLElement;
  show(seen: Seen | null): void;
}

interface Part {
  readonly element: HTMLElement;
  show(seen: Seen): void;
}

const MASK: Record<MaskStyle, string> = { both: "Both", outline: "Outline", fill: "Fill" };
const PLANE: Record<Plane | "three", string> = {
  sagittal: "Sagittal", coronal: "Coronal", axial: "Axial", three: "All",
};
const WINDOW: Record<Preset, string> = { narrow: "Narrow", standard: "Standard", wide: "Wide" };
const COLOUR: Record<Colour, string> = {
  orange: "Orange", sky: "Sky blue", yellow: "Yellow", green: "Green", purple: "Purple",
};
const SIDE: Record<Convention, string> = {
  radiological: "Radiological", neurological: "Neurological",
};

export function makeControls(actions: ControlActions): Controls {
  const parts = [makeMask, makeLesions, makeSliders, makePlanes, makeWindows, makeSteps, makeMore]
    .map((part) => part(actions));
  const group = make("fieldset", { class: "controls" },
    make("legend", { class: "hidden" }, "View"), ...parts.map((part) => part.element));
  return {
    element: group,
    show(seen) {
      group.disabled = seen === null;
      if (seen) parts.forEach((part) => part.show(seen));
    },
  };
}

function makeMask({ command, set }: ControlActions): Part {
  const toggle = makeToggle("Mask", () => command({ kind: "mask" }));
  toggle.element.classList.add("struck");
  const styles = makeChoice("Mask style", MASK, (style) => set({ style }));
  return {
    element: make("div", { class: "row" }, toggle.element, styles.element),
    show({ shown, style }) {
      toggle.show(shown);
      styles.show(style);
    },
  };
}

/** The same line whatever is marked, so that an empty mask looks like any other. */
function makeLesions({ command }: ControlActions): Part {
  const go = (by: 1 | -1) => () => command({ kind: "lesion", by });
  const stepper = makeStepper("Marked part", go(-1), go(1), ["‹", "›"]);
  return { element: stepper.element, show: (seen) => stepper.show(sayLesions(seen)) };
}

function sayLesions({ lesions, lesion }: Seen): string {
  if (lesions === 0) return "No voxels marked";
  if (lesion !== null) return `Marked part ${lesion} of ${lesions}`;
  return lesions === 1 ? "1 marked part" : `${lesions} marked parts`;
}

function makePlanes({ set }: ControlActions): Part {
  const choose = (plane: Plane | "three") => set(plane === "three" ? { three: true } : { plane });
  const planes = makeChoice("Plane", PLANE, choose);
  return { element: planes.element, show: ({ plane, three }) => planes.show(three ? "three" : plane) };
}

function makeSliders({ set }: ControlActions): Part {
  const opacity = makeSlider("Fill opacity", (value) => set({ opacity: clampOpacity(value / 100) }));
  Object.assign(opacity.input, { min: "10", max: "100", step: "10" });
  const slice = makeSlider("Slice", (value) => set({ slice: value - 1 }));
  return {
    element: make("div", {}, opacity.element, slice.element),
    show(seen) {
      opacity.input.disabled = seen.style === "outline";
      opacity.show(Math.round(seen.opacity * 100), `${Math.round(seen.opacity * 100)} %`);
      Object.assign(slice.input, { min: "1", max: String(seen.slices) });
      slice.show(seen.slice + 1, `${seen.slice + 1} / ${seen.slices}`);
    },
  };
}

function makeWindows({ set }: ControlActions): Part {
  const presets = makeChoice("Window", WINDOW, (preset) => set({ preset }));
  const invert = makeToggle("Invert", (inverted) => set({ inverted }));
  return {
    element: make("div", { class: "row" }, presets.element, invert.element),
    show({ preset, inverted }) {
      presets.show(preset);
      invert.show(inverted);
    },
  };
}

function makeSteps({ command, set }: ControlActions): Part {
  const pair = (label: string, less: Command, more: Command) =>
    makeStepper(label, () => command(less), () => command(more)).element;
  const act = (label: string, kind: "fit" | "close" | "reset") =>
    makeButton(label, () => command({ kind }));
  const smooth = makeToggle("Smooth", (on) => set({ smooth: on }));
  return {
    element: make("div", { class: "steps" },
      pair("Brightness", { kind: "level", by: 1 }, { kind: "level", by: -1 }),
      pair("Contrast", { kind: "width", by: 1 }, { kind: "width", by: -1 }),
      pair("Zoom", { kind: "zoom", by: 0.8 }, { kind: "zoom", by: 1.25 }),
      smooth.element,
      make("div", { class: "row tight" },
        act("Fit", "fit"), act("Close-up", "close"), act("Reset", "reset"))),
    show: (seen) => smooth.show(seen.smooth),
  };
}

/** What a rater sets once, folded away. */
function makeMore({ set }: ControlActions): Part {
  const colours = makeChoice("Mask colour", COLOUR, (colour) => set({ colour }), "swatches");
  const sides = makeChoice("Left and right", SIDE, (convention) => set({ convention }));
  const full = makeButton("Full screen", () => void turnFullScreen());
  const fold = make("details", { class: "fold" }, make("summary", {}, make("span", {}, "Display")),
    make("div", { class: "more" }, colours.element, sides.element, full));
  return {
    element: fold,
    show(seen) {
      colours.show(seen.colour);
      sides.show(seen.convention);
    },
  };
}

/** The whole room, so that one can rate there too; a browser may refuse. */
async function turnFullScreen(): Promise<void> {
  const turned = document.fullscreenElement
    ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  await turned.catch(() => undefined);
}
