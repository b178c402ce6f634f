// Takes slices out of a volume and keeps the last: windowing one and going on are quick.
import { axesOf, walkSlice, type Convention, type Plane } from "./geometry";
import type { Volume, Voxels } from "./volume";

/** Which slice, and which way round its picture lies. */
export interface Cut {
  readonly plane: Plane;
  readonly slice: number;
  readonly convention: Convention;
}

/** The picture's pixel p, row by row from the top left, is values[start + p·step]. */
export interface Slice {
  readonly width: number;
  readonly height: number;
  readonly values: Voxels;
  readonly start: number;
  readonly step: number;
}

/** Neighbouring slices whose values lie interleaved, as they do along the first axis. */
interface Slab {
  readonly values: Voxels;
  first: number;
  convention: Convention;
}

/**
 * Slices across the first axis lie in the same lines of memory as their neighbours:
 * fetching so many together takes little longer than fetching one.
 */
const TOGETHER = 8;

const kept = new WeakMap<Volume, Map<Plane, Slab>>();

export function takeSlice(volume: Volume, cut: Cut): Slice {
  const { through } = axesOf(cut.plane);
  const step = Math.min(volume.shape[through], through === 0 ? TOGETHER : 1);
  const first = Math.min(cut.slice - (cut.slice % step), volume.shape[through] - step);
  const { width, height } = walkSlice(volume.shape, cut.plane, first);
  const slab = slabOf(volume, cut.plane, width * height * step);
  if (slab.first !== first || slab.convention !== cut.convention) {
    fillSlab(volume, { ...cut, slice: first }, slab.values, step);
    Object.assign(slab, { first, convention: cut.convention });
  }
  return { width, height, values: slab.values, start: cut.slice - first, step };
}

/** One slab a plane goes with its volume; it is written over and not made anew. */
function slabOf(volume: Volume, plane: Plane, length: number): Slab {
  const slabs = kept.get(volume) ?? new Map<Plane, Slab>();
  kept.set(volume, slabs);
  const Kind = volume.voxels.constructor as new (length: number) => Voxels;
  const slab = slabs.get(plane)
    ?? { values: new Kind(length), first: -1, convention: "radiological" };
  slabs.set(plane, slab);
  return slab;
}

function fillSlab({ voxels, shape }: Volume, cut: Cut, values: Voxels, count: number): void {
  const { start, across, down, width, height } =
    walkSlice(shape, cut.plane, cut.slice, cut.convention);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0, i = start + y * down; x < width; x++, i += across) {
      for (let k = 0; k < count; k++) values[p++] = voxels[i + k];
    }
  }
}
