import { beforeAll, expect, test, vi } from "vitest";
import type { Panes } from "../src/panes";
import { EMPTY } from "../src/rating";
import { makeSubmission } from "../src/submission";

beforeAll(() => {
  for (const [name, value] of [["innerWidth", 1280], ["innerHeight", 800], ["devicePixelRatio", 2]] as const) {
    vi.stubGlobal(name, value);
  }
});

const looked = (slices: number, seen = true) => ({
  conduct: () => ({
    slices: new Set(Array.from({ length: slices }, (_, i) => `sagittal ${i}`)),
    window: 0, mask: 0, seen, lesions: 0, zoom: 1,
  }),
  display: () => ({ three: false, slices: 15 }),
}) as unknown as Panes;

const flag = (base: number, panes: Panes) =>
  makeSubmission(EMPTY, base, 1000, panes).conduct.without_looking;

test("a first answer on the slice it opened with, or with the mask hidden, was given unlooked", () => {
  expect(flag(0, looked(1))).toBe(true);
  expect(flag(0, looked(2, false))).toBe(true);
  expect(flag(0, looked(2))).toBe(false);
});

test("whoever changes a score has looked before", () => {
  expect(flag(1, looked(1))).toBe(false);
});

test("the size of the screen goes along in pixels of the page, with its density", () => {
  expect(makeSubmission(EMPTY, 0, 0, looked(1)).conduct.screen).toBe("1280x800@2");
});
