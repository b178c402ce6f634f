import { expect, test } from "vitest";
import { linkSecond } from "../src/linking";
import { middleOf } from "../src/display";
import { parseImage, type Triple } from "../src/volume";
import { makeVolume, range } from "./nifti";

const one = parseImage(makeVolume("uint8", [10, 10, 10], range(1000)));
/** Twice as coarse, ten mm further right than the other's first corner would be. */
const coarse = {
  ...parseImage(makeVolume("uint8", [10, 10, 10], range(1000), [[2, 0, 0], [0, 2, 0], [0, 0, 2]])),
  affine: [[2, 0, 0, -4], [0, 2, 0, 0], [0, 0, 2, 0]] as const,
};
const link = (at: Triple, plane: "axial" | "sagittal", other = coarse) =>
  linkSecond(one, other, middleOf(one, at), 7, plane, "radiological");

test("a series on the same grid is cut at the same slice and point", () => {
  expect(link([3, 4, 5], "axial", one as never))
    .toEqual({ slice: 5, view: { scale: 7, x: 6.5, y: 5.5 } });
});

test("a series on another grid is met at the same place in the scanner's space", () => {
  // voxel 6 of the one is 6 mm; the other's voxel 5 is at 6 mm
  const linked = link([6, 4, 2], "sagittal")!;
  expect(linked.slice).toBe(5);
  expect(linked.view).toMatchObject({ scale: 7, x: 20 - 2 * 2.5, y: 20 - 2 * 1.5 });
});

test("a turned series is met where the point lies in it", () => {
  const turned = { ...one, affine: [[0, 1, 0, 0], [-1, 0, 0, 9], [0, 0, 1, 0]] as const };
  expect(link([2, 7, 5], "sagittal", turned as never)!.slice).toBe(2);
});

test("where the second series does not reach there is nothing to show", () => {
  expect(link([6, 4, 9], "axial")!.slice).toBe(5);
  const short = { ...coarse, shape: [10, 10, 3] as const };
  expect(link([6, 4, 9], "axial", short as never)).toBeNull();
});
