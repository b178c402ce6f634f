// Window maths: the image's own robust range and how a drag changes the window.
import type { Triple, Voxels } from "./volume";

/** Grey values from `low` (black) to `high` (white). */
export interface Window {
  readonly low: number;
  readonly high: number;
}

/** Windows taken from the image alone; what is brightest is white only in the wide one. */
export type Preset = "narrow" | "standard" | "wide";

export type Presets = Readonly<Record<Preset, Window>>;

export const PRESETS: readonly Preset[] = ["narrow", "standard", "wide"];

const SAMPLES = 200_000;
const HEADROOM = 0.3;
const DRAG_LENGTH = 400;
const NARROWEST = 1 / 500;

/**
 * Windows from an even sample of the image's voxels. Standard is the robust range: the
 * 2nd to the 98th percentile and a margin above, because lesions are often the brightest
 * 2 %. Narrow is the 5th to the 95th without a margin, wide everything that occurs.
 */
export function findPresets(voxels: Voxels, shape: Triple): Presets {
  const sample = sampleEvenly(voxels, shape).sort();
  const at = (fraction: number) => sample[Math.round(fraction * (sample.length - 1))];
  const [low, high] = [at(0.02), at(0.98)];
  const bright = Math.min(at(1), high + HEADROOM * (high - low));
  const wide = spread(at(0), at(1)) ?? { low: low - 1, high: low + 1 };
  const standard = spread(low, bright) ?? wide;
  return { narrow: spread(at(0.05), at(0.95)) ?? standard, standard, wide };
}

function spread(low: number, high: number): Window | null {
  return high > low ? { low, high } : null;
}

function sampleEvenly(voxels: Voxels, shape: Triple): Float32Array {
  const step = sampleStep(voxels.length, shape);
  const sample = new Float32Array(Math.ceil(voxels.length / step));
  for (let i = 0; i < sample.length; i++) sample[i] = voxels[i * step];
  return sample;
}

/** A step that shares no factor with row or column length meets every column. */
function sampleStep(length: number, shape: Triple): number {
  let step = Math.max(1, Math.floor(length / SAMPLES));
  while (divisor(step, shape[0]) > 1 || divisor(step, shape[1]) > 1) step++;
  return step;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

/** Right widens, down darkens; about 400 px are the image's whole robust range. */
export function dragWindow(window: Window, range: Window, dx: number, dy: number): Window {
  const unit = (range.high - range.low) / DRAG_LENGTH;
  const centre = (window.low + window.high) / 2 + dy * unit;
  const smallest = (range.high - range.low) * NARROWEST;
  const width = Math.max(smallest, window.high - window.low + dx * unit);
  return { low: centre - width / 2, high: centre + width / 2 };
}
