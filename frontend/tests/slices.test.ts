import { expect, test } from "vitest";
import { walkSlice, type Convention, type Plane } from "../src/geometry";
import { takeSlice } from "../src/slices";
import type { Triple, Volume } from "../src/volume";

function volume(shape: Triple): Volume {
  const voxels = new Int16Array(shape[0] * shape[1] * shape[2]).map((_, i) => i);
  return { shape, spacing: [1, 1, 1], affine: [], voxels };
}

/** The slice by its definition, voxel by voxel. */
function slowly({ shape, voxels }: Volume, plane: Plane, slice: number, convention: Convention) {
  const { start, across, down, width, height } = walkSlice(shape, plane, slice, convention);
  return Array.from({ length: width * height }, (_, p) =>
    voxels[start + (p % width) * across + Math.floor(p / width) * down]);
}

function quickly(image: Volume, plane: Plane, slice: number, convention: Convention) {
  const { width, height, values, start, step } = takeSlice(image, { plane, slice, convention });
  return Array.from({ length: width * height }, (_, p) => values[start + p * step]);
}

test.each([[19, 5, 4], [8, 3, 2], [3, 4, 5], [1, 2, 2]] as const)(
  "every slice of %i × %i × %i voxels, up, down and at random", (...shape) => {
    const image = volume(shape);
    for (const plane of ["sagittal", "coronal", "axial"] as const) {
      const count = shape[{ sagittal: 0, coronal: 1, axial: 2 }[plane]];
      const up = Array.from({ length: count }, (_, i) => i);
      for (const slice of [...up, ...[...up].reverse(), 0, count - 1, count >> 1]) {
        for (const convention of ["radiological", "neurological"] as const) {
          expect(quickly(image, plane, slice, convention))
            .toEqual(slowly(image, plane, slice, convention));
        }
      }
    }
  });

test("a slice taken again is not read again, and planes do not take each other's place", () => {
  const image = volume([9, 4, 3]);
  const cut = { plane: "sagittal", slice: 2, convention: "radiological" } as const;
  const first = takeSlice(image, cut);
  takeSlice(image, { ...cut, plane: "axial" });
  (image.voxels as Int16Array).fill(-1);
  expect(takeSlice(image, { ...cut, slice: 3 }).values).toBe(first.values);
  expect(first.values[first.start]).not.toBe(-1);
  expect(takeSlice(image, { ...cut, slice: 8 }).values[0]).toBe(-1);
});
