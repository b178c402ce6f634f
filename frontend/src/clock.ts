// Counts the time a rater is at work: page in focus and some input within a minute.

const IDLE_AFTER = 60_000;

export interface Clock {
  /** Any sign of work: a key, a click, a movement. */
  touch(now: number): void;
  /** The page lost or regained the rater. */
  setPresent(present: boolean, now: number): void;
  /** Active milliseconds since the last restart. */
  read(now: number): number;
  restart(now: number): void;
}

export function startClock(now: number, present = true): Clock {
  let total = 0;
  let last = now;
  let here = present;
  const settle = (at: number) => {
    if (here) total += Math.max(0, Math.min(at - last, IDLE_AFTER));
    last = at;
  };
  return {
    touch: settle,
    setPresent(value, at) {
      settle(at);
      here = value;
    },
    read: (at) => Math.round(total + (here ? Math.max(0, Math.min(at - last, IDLE_AFTER)) : 0)),
    restart(at) {
      total = 0;
      last = at;
    },
  };
}
