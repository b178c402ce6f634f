// One pane of the stage: a canvas with its marks, kept as sharp as the screen.
import { openPainter, type Painter, type Scene } from "./canvas";
import { sizeInMm } from "./display";
import { make, setText } from "./dom";
import { makeMarks, type MarkPart } from "./furniture";
import { axesOf, type Plane } from "./geometry";
import { listenToPointer, type Gestures } from "./pointer";
import { frameOf, type Frame, type Size, type View } from "./view";

/** All that a pane shows but where its picture's corners come to lie. */
export interface Showing extends Omit<Scene, "frame" | "density" | "colour"> {
  readonly view: View;
  /** A custom property of the style sheets. */
  readonly colour: string;
}

export interface Pane {
  readonly element: HTMLElement;
  readonly painter: Painter;
  /** In CSS pixels. */
  size(): Size;
  show(showing: Showing | null): void;
  /** The words above it, none for a pane alone; whether keys act on it; whether Tab meets it;
   * the plane that tells it from others of the same words. */
  name(words: string, active: boolean, reachable: boolean, plane: Plane | null): void;
  focus(): void;
  close(): void;
}

/** Before the page was laid out; what is to be shown is asked for again then. */
const UNKNOWN: Size = { width: 1, height: 1 };

export function makePane(gestures: Gestures, resized: () => void): Pane {
  const canvas = make("canvas", { role: "img", "aria-label": "No image yet" });
  const marks = makeMarks();
  const strip = make("p", { class: "pane-name" });
  const stage = make("section", { class: "stage", tabindex: -1, "aria-label": "Image" },
    canvas, ...marks.elements);
  const element = make("div", { class: "pane" }, strip, stage);
  stage.addEventListener("focusin", gestures.press);
  const painter = openPainter(canvas);
  let screen: Size = UNKNOWN;
  const stop = watchSize(canvas, (size) => {
    screen = size;
    resized();
  });
  listenToPointer(canvas, gestures);
  marks.show(null);
  return {
    element,
    painter,
    size: () => screen,
    show(showing) {
      if (!showing || screen === UNKNOWN) return clear(canvas, painter, marks);
      const density = canvas.width / screen.width;
      const scene = sceneOf(canvas, showing, screen, density);
      painter.paint(scene);
      furnish(marks, showing, screen);
      describe(canvas, scene);
    },
    name(words, active, reachable, plane) {
      strip.hidden = words === "";
      setText(strip, words);
      element.classList.toggle("active", active);
      stage.tabIndex = reachable ? 0 : -1;
      const place = [words, plane].filter(Boolean).join(", ");
      stage.setAttribute("aria-label", place ? `${place} image` : "Image");
    },
    focus: () => stage.focus({ preventScroll: true }),
    close: stop,
  };
}

function clear(canvas: HTMLCanvasElement, painter: Painter, marks: MarkPart): void {
  painter.paint(null);
  marks.show(null);
  canvas.setAttribute("aria-label", "No image yet");
  delete canvas.dataset.ready;
}

function sceneOf(canvas: HTMLCanvasElement, showing: Showing, screen: Size, density: number): Scene {
  const { plane, volume, view } = showing;
  const colour = getComputedStyle(canvas).getPropertyValue(showing.colour).trim();
  return { ...showing, colour, density, frame: frameIn(view, sizeInMm(volume, plane), screen, density) };
}

/** Whole canvas pixels, so that every voxel edge falls between two of them. */
function frameIn(view: View, picture: Size, screen: Size, density: number): Frame {
  const { left, top, width, height } = frameOf(view, picture, screen);
  return {
    left: Math.round(left * density),
    top: Math.round(top * density),
    width: Math.max(1, Math.round(width * density)),
    height: Math.max(1, Math.round(height * density)),
  };
}

function furnish(marks: MarkPart, showing: Showing, screen: Size): void {
  const { plane, slice, convention, volume, view } = showing;
  const { letters, through } = axesOf(plane, convention);
  const slices = volume.shape[through];
  marks.show({ letters, slice, slices, scale: view.scale, room: screen.width });
}

/** What the canvas shows, for screen readers and for tests; nothing about the mask. */
function describe(canvas: HTMLCanvasElement, scene: Scene): void {
  const { plane, slice, volume, window, frame, convention } = scene;
  const { letters, through } = axesOf(plane, convention);
  const slices = volume.shape[through];
  canvas.setAttribute("aria-label", `${plane} slice ${slice + 1} of ${slices}`);
  Object.assign(canvas.dataset, {
    ready: "true",
    plane,
    slice: String(slice + 1),
    slices: String(slices),
    letters: letters.join(","),
    window: `${window.low},${window.high}`,
    frame: [frame.left, frame.top, frame.width, frame.height].join(","),
  });
}

/** Gives the canvas one pixel for each of the screen's and tells its size in CSS pixels. */
function watchSize(canvas: HTMLCanvasElement, tell: (size: Size) => void): () => void {
  const observer = new ResizeObserver(([entry]) => {
    const { width, height } = entry.contentRect;
    if (width === 0 || height === 0) return;
    const exact = entry.devicePixelContentBoxSize?.[0];
    canvas.width = wholePixels(width, exact?.inlineSize);
    canvas.height = wholePixels(height, exact?.blockSize);
    tell({ width, height });
  });
  observer.observe(canvas, { box: "device-pixel-content-box" });
  return () => observer.disconnect();
}

/** The browser's own count where it has one that fits the pixel density. */
function wholePixels(length: number, counted?: number): number {
  const wanted = length * devicePixelRatio;
  return counted && Math.abs(counted - wanted) < 2 ? counted : Math.round(wanted);
}
