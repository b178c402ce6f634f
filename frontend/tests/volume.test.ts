import { expect, test } from "vitest";
import { isMarked, parseImage, parseMask, VolumeError } from "../src/volume";
import { makeVolume, range } from "./nifti";

test("an image is read with its shape, voxel sizes and voxels, first axis fastest", () => {
  const image = parseImage(makeVolume("int16", [2, 3, 4], range(24).map((i) => i - 12)));
  expect(image.shape).toEqual([2, 3, 4]);
  expect(image.spacing).toEqual([1, 1, 1]);
  expect([...image.voxels].slice(0, 3)).toEqual([-12, -11, -10]);
});

test("voxel sizes are the lengths of the affine's columns, oblique ones too", () => {
  const columns = [[0.3, 0.4, 0], [-0.8, 0.6, 0], [0, 0, 3]] as const;
  const image = parseImage(makeVolume("float32", [1, 1, 1], [0.5], columns));
  image.spacing.forEach((size, axis) => expect(size).toBeCloseTo([0.5, 1, 3][axis], 6));
});

test.each(["uint8", "int16", "uint16", "float32"] as const)("%s voxels keep their values", (kind) => {
  const image = parseImage(makeVolume(kind, [2, 2, 1], [0, 1, 100, 255]));
  expect([...image.voxels]).toEqual([0, 1, 100, 255]);
});

test("a mask gives back every bit it was packed from", () => {
  const marks = range(45).map((i) => Number(i % 3 === 0 || i > 40));
  const image = parseImage(makeVolume("uint8", [5, 3, 3], range(45)));
  const mask = parseMask(makeVolume("bits", [5, 3, 3], marks), image);
  expect(range(45).map((i) => Number(isMarked(mask, i)))).toEqual(marks);
});

test("a mask on another grid is refused", () => {
  const image = parseImage(makeVolume("uint8", [2, 2, 2], range(8)));
  const mask = makeVolume("bits", [2, 2, 1], [1, 0, 1, 0]);
  expect(() => parseMask(mask, image)).toThrow("not on the grid");
});

test("bytes that end early are refused, in header and in voxels", () => {
  const whole = makeVolume("float32", [3, 3, 3], range(27));
  for (const length of [0, 100, 351, whole.byteLength - 1]) {
    expect(() => parseImage(whole.slice(0, length))).toThrow("incomplete");
  }
});

test("something else than a volume, or a type not promised, is refused in words", () => {
  const page = new TextEncoder().encode("<!doctype html>".padEnd(400)).buffer;
  expect(() => parseImage(page as ArrayBuffer)).toThrow(VolumeError);
  const odd = makeVolume("uint8", [1, 1, 1], [1]);
  new DataView(odd).setInt16(70, 64, true);
  expect(() => parseImage(odd)).toThrow("unknown type");
});
