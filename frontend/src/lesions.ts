// Finds the connected parts of a mask, so that a rater can go from one to the next.
import { axesOf, type Plane } from "./geometry";
import { count, isMarked, type Mask, type Triple } from "./volume";

/** A connected part: how many voxels, and the one nearest to its middle. */
export interface Lesion {
  readonly voxels: number;
  readonly middle: Triple;
}

const known = new WeakMap<Mask, readonly Lesion[]>();

/** Parts that touch by a face, an edge or a corner are one. */
export function findLesions(mask: Mask): readonly Lesion[] {
  const found = known.get(mask) ?? search(mask);
  known.set(mask, found);
  return found;
}

/** Where a look at a mask begins; none where nothing is marked. */
export function largestLesion(...masks: readonly Mask[]): Lesion | null {
  const found = masks.flatMap((mask) => [...findLesions(mask)]);
  return found.sort((a, b) => b.voxels - a.voxels)[0] ?? null;
}

/** The lesions in the order in which a rater meets them slice by slice. */
export function inOrder(lesions: readonly Lesion[], plane: Plane): readonly Lesion[] {
  const { through, down, across } = axesOf(plane);
  const ranks = [through, down, across];
  return [...lesions].sort((a, b) =>
    ranks.map((axis) => a.middle[axis] - b.middle[axis]).find((gap) => gap !== 0) ?? 0);
}

/** The place in order after, or before, where the rater is; round at both ends. */
export function nextLesion(
  lesions: readonly Lesion[],
  current: Lesion | null,
  at: Triple,
  plane: Plane,
  by: 1 | -1,
): Lesion | null {
  const ordered = inOrder(lesions, plane);
  if (ordered.length === 0) return null;
  const here = current ? ordered.indexOf(current) : -1;
  if (here >= 0) return ordered[(here + by + ordered.length) % ordered.length];
  const { through } = axesOf(plane);
  const slice = at[through];
  return by > 0
    ? ordered.find((lesion) => lesion.middle[through] >= slice) ?? ordered[0]
    : [...ordered].reverse().find((lesion) => lesion.middle[through] <= slice) ?? ordered[ordered.length - 1];
}

function search(mask: Mask): Lesion[] {
  const left: Mask = { shape: mask.shape, bits: mask.bits.slice() };
  const lesions: Lesion[] = [];
  const total = count(mask.shape);
  for (let byte = 0; byte < left.bits.length; byte++) {
    while (left.bits[byte] !== 0) {
      const index = 8 * byte + Math.log2(left.bits[byte] & -left.bits[byte]);
      if (index >= total) break;
      lesions.push(summarise(takeConnected(left, index), mask.shape));
    }
  }
  return lesions;
}

/** Takes all voxels connected to one out of the mask and gives their indices. */
function takeConnected(mask: Mask, start: number): number[] {
  const [width, height, depth] = mask.shape;
  const found = [start];
  unmark(mask, start);
  for (let next = 0; next < found.length; next++) {
    const [x, y, z] = placeOf(found[next], mask.shape);
    for (let k = Math.max(0, z - 1); k <= Math.min(depth - 1, z + 1); k++) {
      for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++) {
        for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) {
          const index = i + width * (j + height * k);
          if (!isMarked(mask, index)) continue;
          unmark(mask, index);
          found.push(index);
        }
      }
    }
  }
  return found;
}

function unmark(mask: Mask, index: number): void {
  mask.bits[index >> 3] &= ~(1 << (index & 7));
}

function placeOf(index: number, [width, height]: Triple): Triple {
  const row = Math.floor(index / width);
  return [index % width, row % height, Math.floor(row / height)];
}

/** A marked voxel for the middle: the mean of a bent lesion may lie outside it. */
function summarise(indices: readonly number[], shape: Triple): Lesion {
  const mean = [0, 0, 0];
  for (const index of indices) {
    placeOf(index, shape).forEach((value, axis) => (mean[axis] += value / indices.length));
  }
  let middle = placeOf(indices[0], shape);
  let least = Infinity;
  for (const index of indices) {
    const [x, y, z] = placeOf(index, shape);
    const distance = (x - mean[0]) ** 2 + (y - mean[1]) ** 2 + (z - mean[2]) ** 2;
    if (distance < least) [least, middle] = [distance, [x, y, z]];
  }
  return { voxels: indices.length, middle };
}
