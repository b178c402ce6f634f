import { expect, test } from "vitest";
import { FIRST_TASTE, type Taste } from "../src/display";
import { readTaste, soundTaste } from "../src/taste";

test("what a rater chose is taken up again", () => {
  const taste: Taste = {
    style: "outline", opacity: 0.7, colour: "sky", smooth: false, convention: "neurological",
  };
  expect(soundTaste(taste)).toEqual(taste);
});

test("what another version kept is passed over", () => {
  expect(soundTaste({ style: "glow", colour: "pink", opacity: "much" } as never)).toEqual(FIRST_TASTE);
  expect(soundTaste({ opacity: 7 })).toEqual({ ...FIRST_TASTE, opacity: 1 });
});

test("a browser that keeps nothing shows what everybody begins with", () => {
  expect(readTaste()).toEqual(FIRST_TASTE);
});
