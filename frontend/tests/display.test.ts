import { expect, test } from "vitest";
import {
  FIRST_TASTE, firstDisplay, goTo, magnification, obey, panned, pointedAt, presetOf, sizeInMm, sliceOf,
  turned, viewOf, type Display, type Setting,
} from "../src/display";
import type { Command } from "../src/keys";
import { fitView } from "../src/view";
import { parseImage } from "../src/volume";
import { findPresets } from "../src/window";
import { makeVolume, range } from "./nifti";

const screen = { width: 800, height: 600 };
const columns = [[3, 0, 0], [0, 0.5, 0], [0, 0, 0.5]] as const;
const volume = parseImage(makeVolume("uint8", [4, 6, 10], range(240), columns));
const presets = findPresets(volume.voxels, volume.shape);
const opening = { plane: "auto", zoom_mm: 0 } as const;
const setting: Setting = { volume, presets, second: presets, opening, screen };
const start = firstDisplay(setting, FIRST_TASTE);

const after = (display: Display, ...commands: Command[]) =>
  commands.reduce((now, command) => obey(setting, now, command)!, display);
const slice = (display: Display) => sliceOf(display, display.plane);

test("the first view is the middle slice of the acquisition plane with the mask shown", () => {
  expect(start).toMatchObject({ plane: "sagittal", three: false, at: [2, 3, 5], shown: true });
  expect(start).toMatchObject({ window: presets.standard, inverted: false, zoom: "whole" });
  expect(sizeInMm(volume, "axial")).toEqual({ width: 12, height: 3 });
  const fixed = { ...setting, opening: { plane: "axial", zoom_mm: 2 } as const };
  expect(firstDisplay(fixed, FIRST_TASTE)).toMatchObject({ plane: "axial", zoom: "close" });
  const view = viewOf(fixed, firstDisplay(fixed, FIRST_TASTE), "axial");
  expect(view).toEqual(fitView({ width: 12, height: 3 }, screen, 2));
});

test("slices stop at both ends", () => {
  expect(slice(after(start, { kind: "scroll", by: 5 }))).toBe(3);
  expect(slice(after(start, { kind: "scroll", by: -5 }))).toBe(0);
  expect(slice(after(start, { kind: "last" }))).toBe(3);
});

test("X goes through the planes, then shows all three, and comes back to the slice left", () => {
  let display = after(start, { kind: "scroll", by: -1 });
  const met = [1, 2, 3, 4].map(() => {
    display = after(display, { kind: "plane" });
    return display.three ? "three" : display.plane;
  });
  expect(met).toEqual(["coronal", "axial", "three", "sagittal"]);
  expect(slice(display)).toBe(1);
});

test("zoomed in, another plane goes through what is in the middle of the screen", () => {
  const zoom = after(start, { kind: "zoom", by: 8 });
  const moved = panned(setting, zoom, 60, -60);
  const { x, y, scale } = viewOf(setting, moved, "sagittal");
  const axial = turned(setting, moved, "axial");
  expect(axial.at).toEqual([2, Math.floor((3 - x) / 0.5), Math.floor((5 - y) / 0.5)]);
  expect(axial.at).not.toEqual(start.at);
  expect(viewOf(setting, axial, "axial").scale).toBe(scale);
  expect(turned(setting, axial, "sagittal").at).toEqual(axial.at);
});

test("a click in one of three planes takes the others through that voxel", () => {
  const all = after(start, { kind: "plane" }, { kind: "plane" }, { kind: "plane" });
  const view = viewOf(setting, all, "axial");
  const middle = { x: 400, y: 300 };
  const corner = { x: 400 - view.x * view.scale + 1, y: 300 - view.y * view.scale + 1 };
  expect(pointedAt(setting, { ...all, plane: "axial" }, middle).at).toEqual([2, 3, 5]);
  expect(pointedAt(setting, { ...all, plane: "axial" }, corner).at).toEqual([3, 5, 5]);
  const left = { ...all, plane: "axial", convention: "neurological" } as const;
  expect(pointedAt(setting, left, corner).at).toEqual([0, 5, 5]);
});

test("left and right change places about the same point", () => {
  const zoom = panned(setting, after(start, { kind: "plane" }, { kind: "zoom", by: 4 }), 50, 0);
  const [one, other] = (["radiological", "neurological"] as const)
    .map((convention) => viewOf(setting, { ...zoom, convention }, "coronal"));
  expect(one.x + other.x).toBeCloseTo(12, 9);
  expect(one.y).toBe(other.y);
});

test("opacity stays between a tenth and one, the style goes round", () => {
  let display = start;
  for (let step = 0; step < 20; step++) display = after(display, { kind: "opacity", by: 0.1 });
  expect(display.opacity).toBe(1);
  const styles = [1, 2, 3].map(() => (display = after(display, { kind: "style" })).style);
  expect(styles).toEqual(["outline", "fill", "both"]);
});

test("V goes from window to window, and begins anew where it was changed by hand", () => {
  const names = [start];
  for (let step = 0; step < 3; step++) names.push(after(names[step], { kind: "preset" }));
  expect(names.map((one) => presetOf(setting, one)))
    .toEqual(["standard", "wide", "narrow", "standard"]);
  const dragged = after(start, { kind: "width", by: 2 });
  expect(presetOf(setting, dragged)).toBeNull();
  expect(after(dragged, { kind: "preset" }).window).toBe(presets.standard);
});

test("Z looks close at the middle and comes back to the whole", () => {
  const close = after(start, { kind: "close" });
  expect(magnification(setting, start)).toBe(1);
  expect(magnification(setting, close)).toBeGreaterThan(1);
  expect(viewOf(setting, close, "sagittal")).toMatchObject({ x: 1.5, y: 2.5 });
  expect(after(close, { kind: "close" }).zoom).toBe("whole");
  expect(after(start, { kind: "zoom", by: 3 }, { kind: "close" }).zoom).toBe("whole");
});

test("a close look follows the rater to a voxel, whichever of the two comes first", () => {
  const lesion = [1, 1, 8] as const;
  const close = after(start, { kind: "close" });
  const { scale } = viewOf(setting, close, "sagittal");
  const there = { scale, x: 2.25, y: 0.75 };
  expect(goTo(setting, start, lesion).zoom).toBe("whole");
  expect(viewOf(setting, goTo(setting, close, lesion), "sagittal")).toEqual(there);
  const then = after(goTo(setting, start, lesion), { kind: "close" });
  expect(viewOf(setting, then, "sagittal")).toEqual(there);
  expect(after(then, { kind: "close" }).zoom).toBe("whole");
  expect(after(then, { kind: "reset" })).toMatchObject({ zoom: "whole", at: lesion });
});

test("R gives back window and zoom but not the slice", () => {
  const changed = after(start, { kind: "scroll", by: 1 }, { kind: "width", by: 3 },
    { kind: "zoom", by: 2 }, { kind: "invert" });
  expect(after(changed, { kind: "reset" })).toEqual({ ...start, at: [3, 3, 5] });
});

test("scores are no business of the image", () => {
  expect(obey(setting, start, { kind: "digit", value: 4 })).toBeNull();
});
