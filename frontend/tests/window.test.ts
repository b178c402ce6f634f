import { expect, test } from "vitest";
import { paintGrey, sliceMask, type Cut } from "../src/paint";
import { parseImage, parseMask } from "../src/volume";
import { dragWindow, findPresets } from "../src/window";
import type { Triple, Voxels } from "../src/volume";
import { makeVolume, range } from "./nifti";

const robustRange = (voxels: Voxels, shape: Triple) => findPresets(voxels, shape).standard;
const cut = (plane: Cut["plane"], slice: number): Cut =>
  ({ plane, slice, convention: "radiological" });

test("the robust range leaves out the ends and keeps room for the brightest", () => {
  const voxels = Float32Array.from(range(1001));
  expect(robustRange(voxels, [1001, 1, 1])).toEqual({ low: 20, high: 1000 });
  voxels[1000] = 1e9;
  const { low, high } = robustRange(voxels, [1001, 1, 1]);
  expect(low).toBe(20);
  expect(high).toBeCloseTo(980 + 0.3 * 960, 6);
});

test("the range of a large image sees every row, column and slice", () => {
  const shape = [200, 100, 50] as const;
  const voxels = new Float32Array(1e6).map((_, i) => Math.floor(i / 200) % 100);
  const { low, high } = robustRange(voxels, shape);
  expect(Math.abs(low - 2)).toBeLessThanOrEqual(1);
  expect(high).toBe(99);
});

test("a constant image still has a window", () => {
  const { low, high } = robustRange(new Uint8Array(8).fill(3), [2, 2, 2]);
  expect(high).toBeGreaterThan(low);
});

test("an image of almost only one value falls back on its whole range", () => {
  const voxels = new Int16Array(1000);
  voxels[500] = 40;
  expect(robustRange(voxels, [10, 10, 10])).toEqual({ low: 0, high: 40 });
});

test("presets are nested, from the bulk of the voxels to all that occurs", () => {
  const voxels = Float32Array.from(range(1001));
  const { narrow, standard, wide } = findPresets(voxels, [1001, 1, 1]);
  expect(narrow).toEqual({ low: 50, high: 950 });
  expect(wide).toEqual({ low: 0, high: 1000 });
  expect(standard.low).toBeGreaterThan(wide.low);
  expect(standard.low).toBeLessThan(narrow.low);
});

test("presets of an image that is nearly all background can all be looked through", () => {
  const voxels = new Int16Array(1000);
  voxels[500] = 40;
  for (const { low, high } of Object.values(findPresets(voxels, [10, 10, 10]))) {
    expect({ low, high }).toEqual({ low: 0, high: 40 });
  }
});

test("inverted, black is white and both ends clip", () => {
  const image = parseImage(makeVolume("float32", [4, 1, 1], [-7, 0, 100, 107]));
  const { pixels } = paintGrey(image, cut("axial", 0), { low: 0, high: 100 }, true);
  expect([...pixels].map((pixel) => pixel & 0xff)).toEqual([0, 0, 255, 255]);
});

const window = { low: 0, high: 200 };
const whole = { low: -100, high: 300 };

test("400 px across widen by the whole range, 400 px down darken by it", () => {
  expect(dragWindow(window, whole, 400, 0)).toEqual({ low: -200, high: 400 });
  expect(dragWindow(window, whole, 0, 400)).toEqual({ low: 400, high: 600 });
});

test("the window narrows to a sliver but never to nothing, also for images in 0 to 1", () => {
  const unit = { low: 0, high: 1 };
  const narrow = dragWindow(unit, unit, -10_000, 0);
  expect(narrow.high - narrow.low).toBeCloseTo(1 / 500, 9);
  expect(dragWindow(unit, unit, 4, 0).high).toBeCloseTo(1.005, 9);
});

test("grey follows the window linearly, rounds to the nearest level and clips", () => {
  const image = parseImage(makeVolume("float32", [5, 1, 1], [-7, 0, 50.3, 100, 107]));
  const { pixels } = paintGrey(image, cut("axial", 0), { low: 0, high: 100 });
  expect([...pixels].map((pixel) => pixel & 0xff)).toEqual([255, 255, 128, 0, 0]);
  expect([...pixels].every((pixel) => pixel >>> 24 === 255)).toBe(true);
});

test("a mask slice is picked from the same voxels as the image slice", () => {
  const marks = range(24).map((i) => Number(i % 5 === 0));
  const image = parseImage(makeVolume("uint8", [2, 3, 4], marks));
  const mask = parseMask(makeVolume("bits", [2, 3, 4], marks), image);
  for (const plane of ["axial", "coronal", "sagittal"] as const) {
    const grey = paintGrey(image, cut(plane, 1), { low: 0, high: 1 }).pixels;
    const marked = sliceMask(mask, cut(plane, 1)).pixels;
    expect([...grey].map((pixel) => (pixel & 0xff) / 255)).toEqual([...marked]);
  }
});
