import { expect, test } from "vitest";
import { colourOf, paintHeat, volumeFrom } from "../src/heat";
import type { Volume } from "../src/volume";

const soft: Volume = {
  shape: [2, 2, 1],
  spacing: [1, 2, 3],
  affine: [[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0]],
  voxels: new Float32Array([0, 0.2, 0.5, 1]),
};
const cut = { plane: "axial", slice: 0, convention: "neurological" } as const;
const seen = (threshold: number) =>
  [...paintHeat(soft, cut, threshold).pixels].filter((_, i) => i % 4 === 3).map((a) => a > 0);

test("zero is clear, and so is what lies below the threshold", () => {
  // neurological rows run from anterior: the second row of voxels comes first
  expect(seen(0)).toEqual([true, true, false, true]);
  expect(seen(0.5)).toEqual([true, true, false, false]);
  expect(seen(1)).toEqual([false, true, false, false]);
});

test("volumes count the voxels that are painted", () => {
  expect(volumeFrom(soft, 0)).toBe(18);
  expect(volumeFrom(soft, 0.5)).toBe(12);
});

test("colours grow brighter with the value", () => {
  const light = [0, 0.25, 0.5, 0.75, 1].map((v) => {
    const [r, g, b] = colourOf(v);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  });
  expect([...light].sort((a, b) => a - b)).toEqual(light);
});
