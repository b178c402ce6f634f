// Keeps how a rater likes masks and images drawn, in this browser, from day to day.
import { COLOURS, FIRST_TASTE, STYLES, clampOpacity, type Taste } from "./display";

const PLACE = "blindfold.taste";

export function readTaste(): Taste {
  try {
    return soundTaste(JSON.parse(localStorage.getItem(PLACE) ?? "{}"));
  } catch {
    return FIRST_TASTE;
  }
}

/** A browser that keeps nothing is no reason to stop. */
export function keepTaste(taste: Taste): void {
  try {
    localStorage.setItem(PLACE, JSON.stringify(taste));
  } catch {
    return;
  }
}

/** What was kept may come from another version of this page. */
export function soundTaste(kept: Partial<Taste>): Taste {
  const one = <T>(values: readonly T[], value: T | undefined, first: T) =>
    value !== undefined && values.includes(value) ? value : first;
  const { style, colour, convention } = FIRST_TASTE;
  return {
    style: one(STYLES, kept.style, style),
    colour: one(COLOURS, kept.colour, colour),
    convention: one(["radiological", "neurological"] as const, kept.convention, convention),
    opacity: Number.isFinite(kept.opacity) ? clampOpacity(kept.opacity!) : FIRST_TASTE.opacity,
    smooth: kept.smooth ?? FIRST_TASTE.smooth,
  };
}
