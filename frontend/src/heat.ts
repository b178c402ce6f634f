// Lays a soft map over a pane as colours, from a threshold on; never in the rating room.
import { make } from "./dom";
import { walkSlice } from "./geometry";
import type { Cut } from "./paint";
import type { Volume } from "./volume";

type Colour = readonly [number, number, number];

/** Dark to bright in even steps of lightness, so that it also reads without colour. */
const STOPS: readonly Colour[] = [[43, 10, 88], [137, 34, 106], [212, 72, 66], [249, 142, 9], [252, 255, 164]];
const ALPHA = 217;

export interface Heat {
  readonly element: HTMLElement;
  /** Values below are not painted. */
  show(soft: Volume | null, threshold: number): void;
  close(): void;
}

/** The colour of a probability between 0 and 1. */
export function colourOf(value: number): Colour {
  const place = Math.min(1, Math.max(0, value)) * (STOPS.length - 1);
  const at = Math.min(STOPS.length - 2, Math.floor(place));
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(STOPS[at][channel] + (place - at) * (STOPS[at + 1][channel] - STOPS[at][channel]));
  return [mix(0), mix(1), mix(2)];
}

/** One slice as RGBA, clear where the value is 0 or below the threshold. */
export function paintHeat(soft: Volume, { plane, slice, convention }: Cut, threshold: number) {
  const { start, across, down, width, height } = walkSlice(soft.shape, plane, slice, convention);
  const pixels = new Uint8ClampedArray(4 * width * height);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0, i = start + y * down; x < width; x++, i += across, p += 4) {
      const value = soft.voxels[i];
      if (value > 0 && value >= threshold) pixels.set([...colourOf(value), ALPHA], p);
    }
  }
  return { width, height, pixels };
}

/** The volume in mm³ of all voxels that are painted. */
export function volumeFrom(soft: Volume, threshold: number): number {
  let voxels = 0;
  for (const value of soft.voxels) if (value > 0 && value >= threshold) voxels++;
  return voxels * soft.spacing[0] * soft.spacing[1] * soft.spacing[2];
}

/** Follows what the pane's own canvas says that it shows. */
export function layHeat(canvas: HTMLCanvasElement, neurological: () => boolean): Heat {
  const element = make("canvas", { class: "heat", "aria-hidden": "true" });
  const slide = document.createElement("canvas");
  let soft: Volume | null = null;
  let threshold = 0;
  const draw = () => {
    element.width = canvas.width;
    element.height = canvas.height;
    const { plane, slice, frame } = canvas.dataset;
    if (!soft || !frame || !canvas.dataset.ready) return;
    const convention = neurological() ? "neurological" : "radiological";
    const cut = { plane, slice: Number(slice) - 1, convention } as Cut;
    const { width, height, pixels } = paintHeat(soft, cut, threshold);
    Object.assign(slide, { width, height });
    slide.getContext("2d")!.putImageData(new ImageData(pixels, width, height), 0, 0);
    const context = element.getContext("2d")!;
    const [left, top, wide, high] = frame.split(",").map(Number);
    context.imageSmoothingEnabled = false;
    context.drawImage(slide, left, top, wide, high);
  };
  const observer = new MutationObserver(draw);
  observer.observe(canvas, { attributes: true, attributeFilter: ["data-frame", "data-slice", "data-plane", "data-letters", "data-ready", "width", "height"] });
  return {
    element,
    show(map, from) {
      [soft, threshold] = [map, from];
      draw();
    },
    close: () => {
      observer.disconnect();
      element.remove();
    },
  };
}

/** The colours from 0 to 1, clear below the threshold. */
export function drawBar(bar: HTMLCanvasElement, threshold: number): void {
  bar.width = 200;
  bar.height = 1;
  const context = bar.getContext("2d")!;
  for (let x = 0; x < bar.width; x++) {
    const value = (x + 0.5) / bar.width;
    context.fillStyle = value < threshold ? "#2a2f36" : `rgb(${colourOf(value).join(" ")})`;
    context.fillRect(x, 0, 1, 1);
  }
}
