// How fast bytes go out, evened over some seconds, and how long the rest will take.

export interface Pace {
  add(bytes: number): void;
  /** Seconds that so many bytes will take; null while that is not known. */
  secondsFor(bytes: number): number | null;
}

/** Looked back over so many seconds: long enough to be calm, short enough to be true. */
const SPAN = 20;
/** Before so many seconds nothing is said. */
const LEAST = 3;
const STEP = 0.25;

export function measurePace(now: () => number = () => performance.now() / 1000): Pace {
  let total = 0;
  let marks: { at: number; total: number }[] = [];
  const add = (bytes: number): void => {
    const at = now();
    if (!marks.length) marks.push({ at, total });
    total += bytes;
    if (at - marks.at(-1)!.at >= STEP) marks.push({ at, total });
  };
  const secondsFor = (bytes: number): number | null => {
    const at = now();
    // the last one from before the span stays, so that a standstill counts
    const old = marks.filter((mark) => at - mark.at > SPAN).length;
    marks = marks.slice(Math.max(0, old - 1));
    const first = marks[0];
    if (!first || at - first.at < LEAST) return null;
    const rate = (total - first.total) / (at - first.at);
    return rate > 0 ? bytes / rate : null;
  };
  return { add, secondsFor };
}

/** "about 3 min left": the longer, the rounder, so that it does not jump about. */
export function sayLeft(seconds: number): string {
  const minutes = seconds / 60;
  if (minutes < 1) return "less than a minute left";
  if (minutes < 20) return `about ${Math.round(minutes)} min left`;
  if (minutes < 57.5) return `about ${5 * Math.round(minutes / 5)} min left`;
  const tens = Math.round(minutes / 10);
  const [hours, rest] = [Math.floor(tens / 6), (tens % 6) * 10];
  return `about ${hours} h${rest ? ` ${rest} min` : ""} left`;
}
