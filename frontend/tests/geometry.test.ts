import { expect, test } from "vitest";
import {
  acquisitionPlane,
  axesOf,
  middleSlice,
  pictureSize,
  scaleBarLength,
  sliceCount,
  walkSlice,
} from "../src/geometry";

test.each([
  [[15, 320, 320], [3, 0.6, 0.6], "sagittal"],
  [[320, 320, 11], [0.5, 0.5, 7.5], "axial"],
  [[256, 20, 256], [1, 4, 1], "coronal"],
  [[29, 99, 99], [0.8, 0.8, 0.8], "sagittal"],
  [[99, 99, 29], [0.8, 0.8, 0.8], "axial"],
  [[182, 218, 182], [1, 1, 1], "sagittal"],
  [[40, 300, 300], [1.25, 1, 1], "sagittal"],
] as const)("an image of %j voxels of %j mm was acquired in the %s plane", (shape, spacing, plane) => {
  expect(acquisitionPlane(shape, spacing)).toBe(plane);
});

test("pictures are radiological: right and anterior at the left, superior on top", () => {
  expect(axesOf("axial").letters).toEqual(["R", "L", "A", "P"]);
  expect(axesOf("coronal").letters).toEqual(["R", "L", "S", "I"]);
  expect(axesOf("sagittal").letters).toEqual(["A", "P", "S", "I"]);
});

const shape = [3, 4, 5] as const;
const voxelAt = (i: number, j: number, k: number) => i + 3 * (j + 4 * k);

test("the top left pixel is the patient's right, anterior, superior corner", () => {
  expect(walkSlice(shape, "axial", 2).start).toBe(voxelAt(2, 3, 2));
  expect(walkSlice(shape, "coronal", 1).start).toBe(voxelAt(2, 1, 4));
  expect(walkSlice(shape, "sagittal", 0).start).toBe(voxelAt(0, 3, 4));
});

test("a walk meets each voxel of its slice once, running against the volume's axes", () => {
  for (const plane of ["axial", "coronal", "sagittal"] as const) {
    const seen = new Set<number>();
    for (let slice = 0; slice < sliceCount(shape, plane); slice++) {
      const { start, across, down, width, height } = walkSlice(shape, plane, slice);
      expect({ width, height }).toEqual(pictureSize(shape, plane));
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) seen.add(start + x * across + y * down);
      }
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  }
});

test("neurological pictures swap left and right, letters and voxels alike", () => {
  expect(axesOf("axial", "neurological").letters).toEqual(["L", "R", "A", "P"]);
  expect(axesOf("coronal", "neurological").letters).toEqual(["L", "R", "S", "I"]);
  expect(axesOf("sagittal", "neurological").letters).toEqual(["A", "P", "S", "I"]);
  for (const plane of ["axial", "coronal"] as const) {
    const usual = walkSlice(shape, plane, 1);
    const { start, across, down } = walkSlice(shape, plane, 1, "neurological");
    expect(start).toBe(usual.start + (usual.width - 1) * usual.across);
    expect([across, down]).toEqual([-usual.across, usual.down]);
  }
  expect(walkSlice(shape, "sagittal", 1, "neurological")).toEqual(walkSlice(shape, "sagittal", 1));
});

test("the first slice is the middle one", () => {
  expect(middleSlice(shape, "axial")).toBe(2);
  expect(middleSlice([1, 1, 1], "sagittal")).toBe(0);
});

test("the scale bar takes the longest round length that fits", () => {
  expect([0.4, 0.6, 1, 7, 49.9, 50, 900].map(scaleBarLength)).toEqual([0.5, 0.5, 1, 5, 20, 50, 200]);
});
