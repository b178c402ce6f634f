import { expect, test } from "vitest";
import { findLesions, largestLesion, nextLesion, type Lesion } from "../src/lesions";
import { parseImage, parseMask, type Mask, type Triple } from "../src/volume";
import { makeVolume } from "./nifti";

function makeMask(shape: Triple, marked: readonly Triple[]): Mask {
  const values = new Array<number>(shape[0] * shape[1] * shape[2]).fill(0);
  for (const [x, y, z] of marked) values[x + shape[0] * (y + shape[1] * z)] = 1;
  const image = parseImage(makeVolume("uint8", shape, values));
  return parseMask(makeVolume("bits", shape, values), image);
}

test("an empty mask has no lesion and leads nowhere", () => {
  const lesions = findLesions(makeMask([5, 5, 5], []));
  expect(lesions).toEqual([]);
  expect(nextLesion(lesions, null, [2, 2, 2], "axial", 1)).toBeNull();
});

test("voxels that touch by a corner are one lesion, those apart are two", () => {
  const mask = makeMask([7, 7, 7], [[1, 1, 1], [2, 2, 2], [5, 5, 5], [5, 5, 6]]);
  expect(findLesions(mask).map(({ voxels }) => voxels)).toEqual([2, 2]);
});

test("rows and slices do not run into each other at the edges of the grid", () => {
  const mask = makeMask([4, 4, 4], [[3, 0, 0], [0, 1, 0], [3, 3, 1], [0, 0, 2]]);
  expect(findLesions(mask)).toHaveLength(4);
});

test("the middle of a bent lesion is one of its own voxels", () => {
  const bent: Triple[] = [[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0], [3, 1, 0], [3, 2, 0], [3, 3, 0]];
  const [{ middle }] = findLesions(makeMask([4, 4, 1], bent));
  expect(bent).toContainEqual(middle);
});

test("finding lesions leaves the mask as it is", () => {
  const mask = makeMask([4, 4, 4], [[1, 1, 1]]);
  const before = mask.bits.slice();
  findLesions(mask);
  expect(mask.bits).toEqual(before);
});

const at = (...middle: [number, number, number]): Lesion => ({ voxels: 1, middle });
const three = [at(1, 1, 8), at(5, 5, 2), at(3, 3, 5)];

test("G begins at the slice shown, goes slice by slice, and round", () => {
  const met: Triple[] = [];
  let now: Lesion | null = null;
  for (let step = 0; step < 4; step++) {
    now = nextLesion(three, now, [0, 0, 4], "axial", 1);
    met.push(now!.middle);
  }
  expect(met.map((middle) => middle[2])).toEqual([5, 8, 2, 5]);
  expect(nextLesion(three, null, [0, 0, 4], "axial", -1)!.middle[2]).toBe(2);
  expect(nextLesion(three, three[1], [0, 0, 4], "axial", -1)!.middle[2]).toBe(8);
});

test("the order is that of the plane in which the rater looks", () => {
  expect(nextLesion(three, three[0], [0, 0, 0], "sagittal", 1)!.middle[0]).toBe(3);
});

test("a look begins at the largest part of all masks, and nowhere without one", () => {
  const small = makeMask([7, 7, 7], [[1, 1, 1], [5, 5, 5], [5, 5, 6]]);
  const large = makeMask([7, 7, 7], [[0, 0, 3], [0, 1, 3], [0, 2, 3]]);
  expect(largestLesion(small)?.voxels).toBe(2);
  expect(largestLesion(small, large)?.middle).toEqual([0, 1, 3]);
  expect(largestLesion(makeMask([5, 5, 5], []))).toBeNull();
});
