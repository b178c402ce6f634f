// Turns one slice of a volume into grey pixels, and takes one slice out of a mask.
import { walkSlice } from "./geometry";
import { takeSlice, type Cut } from "./slices";
import { isMarked, type Mask, type Volume } from "./volume";
import type { Window } from "./window";

export type { Cut } from "./slices";

/** Pixels of one slice, row by row from the top left of the picture. */
export interface Picture<T> {
  readonly width: number;
  readonly height: number;
  readonly pixels: T;
}

export type MaskPicture = Picture<Uint8Array>;

const OPAQUE = 0xff000000;
const GREY = 0x010101;

/** One slice through the window as packed RGBA, 8 bits a channel; into `old` if it fits. */
export function paintGrey(
  volume: Volume,
  cut: Cut,
  window: Window,
  inverted = false,
  old?: Uint32Array<ArrayBuffer>,
): Picture<Uint32Array<ArrayBuffer>> {
  const { width, height, values, start, step } = takeSlice(volume, cut);
  const pixels = old?.length === width * height ? old : new Uint32Array(width * height);
  const [black, white] = inverted ? [window.high, window.low] : [window.low, window.high];
  const gain = 255 / (white - black);
  const shift = 0.5 - black * gain;
  for (let p = 0, i = start; p < pixels.length; p++, i += step) {
    const grey = values[i] * gain + shift;
    pixels[p] = OPAQUE | (GREY * (grey <= 0 ? 0 : grey >= 255 ? 255 : grey | 0));
  }
  return { width, height, pixels };
}

/** One slice of the mask, 1 where marked. */
export function sliceMask(mask: Mask, { plane, slice, convention }: Cut): MaskPicture {
  const { start, across, down, width, height } = walkSlice(mask.shape, plane, slice, convention);
  const pixels = new Uint8Array(width * height);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0, i = start + y * down; x < width; x++, i += across) {
      pixels[p++] = isMarked(mask, i) ? 1 : 0;
    }
  }
  return { width, height, pixels };
}
