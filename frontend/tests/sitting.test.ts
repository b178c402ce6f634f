import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RequestError, sendScore, type Presentation, type StudyInfo } from "../src/api";
import { openOutbox } from "../src/outbox";
import type { Room } from "../src/room";
import { openSitting, type Sitting } from "../src/sitting";
import { memoryStore } from "../src/store";

// What is drawn is tested in a browser; here it is only written down.
const stage = vi.hoisted(() => {
  const made = { words: "", action: null as { label: string; act(): void } | null, shown: [] as string[], position: 0, revealed: [] as string[] };
  const stub = (parts: Record<string, unknown> = {}): any =>
    new Proxy(() => undefined, { get: (_, name) => parts[String(name)] ?? stub() });
  return { made, stub };
});

vi.mock("../src/panes", () => ({
  openPanes: () => stage.stub({
    conduct: () => ({ slices: new Set(["a", "b"]), window: 0, mask: 0, seen: true, lesions: 0, zoom: 1 }),
    display: () => null,
    show: (_: unknown, { items }: Presentation) => stage.made.shown.push(items[0].token),
    furniture: stage.stub({
      say: (words: string, action = null) => Object.assign(stage.made, { words, action }),
    }),
  }),
}));

vi.mock("../src/rail", () => ({
  makeRail: () => stage.stub({
    showPosition: ({ position }: Presentation) => void (stage.made.position = position),
    answers: stage.stub({
      focused: () => null, reveal: (key: string) => stage.made.revealed.push(key),
    }),
  }),
}));

const one = (position: number, practice = false): Presentation => ({
  position, practice, plane: "auto", zoom_mm: 0,
  items: [{ token: `t${position}`, image: `/items/t${position}/image`, mask: "", context: null, done: false }],
});
const counts = { done: 0, total: 3, practice: { done: 0, total: 1 }, seconds_left: null };
const questions = ["q", "r", "s"].map((key) => ({ key, text: `${key}?` }));
const study = {
  ...counts, mode: "single", state: "collecting", words: [], reasons: [], marks: [],
  questions: [{ key: "q", text: "Good?" }], scale: [1, 2].map((value) => ({ value, anchor: "" })),
} as unknown as StudyInfo;
const problem = (status: number, body: object) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/problem+json" } });

let current: Presentation | null;
let ahead: Presentation | null;
let toScore: () => Response;
let refusedLoads: Set<string>;
let sitting: Sitting;
const exits = { leave: vi.fn(), finish: vi.fn(), undo: vi.fn(), giveUp: vi.fn() };

beforeEach(() => {
  vi.clearAllMocks();
  Object.assign(stage.made, { words: "", action: null, shown: [], position: 0, revealed: [] });
  [current, ahead, refusedLoads] = [one(1), null, new Set()];
  vi.stubGlobal("document", { cookie: "", querySelector: () => null });
  vi.stubGlobal("requestAnimationFrame", () => 0);
  for (const name of ["innerWidth", "innerHeight", "devicePixelRatio"]) vi.stubGlobal(name, 1);
  vi.stubGlobal("fetch", async (url: string) => {
    if (url.endsWith("/scores")) return toScore();
    return Response.json(url.endsWith("next") ? { ...counts, current, ahead, answers: 0 } : study);
  });
});

afterEach(() => {
  sitting.close();
  vi.unstubAllGlobals();
});

function sitDown(review: Parameters<typeof openSitting>[3] = null, asked = study): Sitting {
  const store = memoryStore();
  const room = {
    base: "/api/", store, save: "fresh", root: stage.stub(), clock: { restart() {}, read: () => 5 },
    shelf: {
      keepOnly: () => undefined,
      async load({ items }: Presentation) {
        if (refusedLoads.has(items[0].token)) throw new RequestError("refused", "Withdrawn.", 409);
        return items.map(() => ({}));
      },
    },
    outbox: openOutbox("/api/", store, sendScore, {
      onState(state) {
        room.save = state;
        sitting.showSave(state);
      },
      onSaved: (receipt, entry) => sitting.showReceipt(receipt, entry),
      onRefused: (_, entry) => sitting.showRefusal(entry.token),
    }),
  } as unknown as Room;
  return (sitting = openSitting(room, asked, exits, review));
}

const showing = (...tokens: string[]) => vi.waitFor(() => expect(stage.made.shown).toEqual(tokens));
const answer = () => {
  sitting.obey({ kind: "digit", value: 2 });
  sitting.obey({ kind: "confirm" });
};

test("an item that the server refuses to show is left by one button for the next", async () => {
  refusedLoads.add("t1");
  sitDown();
  await vi.waitFor(() => expect(stage.made.action?.label).toBe("Go on with the next"));
  expect(stage.made.words).toBe("The image could not be loaded. Withdrawn.");
  current = one(2);
  stage.made.action?.act();
  await showing("t2");
});

test("a refused item that is still the current one is loaded anew, not taken for shown", async () => {
  refusedLoads.add("t1");
  sitDown();
  await vi.waitFor(() => expect(stage.made.action).not.toBeNull());
  refusedLoads.clear();
  stage.made.action?.act();
  await showing("t1");
});

test("a given answer whose image is refused leads back to where one was", async () => {
  refusedLoads.add("t1");
  sitDown({ ...one(1), given: [{ revision: 1, answers: {}, comment: "", marks: [] }] });
  await vi.waitFor(() => expect(stage.made.action?.label).toBe("Go back"));
  stage.made.action?.act();
  expect(exits.leave).toHaveBeenCalled();
});

test.each([
  ["for good", {}],
  ["since another window was first", { stored: { revision: 1, answers: {}, comment: "" } }],
])("a practice item refused %s does not wait for its reference", async (_, facts) => {
  current = one(1, true);
  toScore = () => {
    current = one(2);
    return problem(409, { detail: "Scored from another window.", ...facts });
  };
  sitDown();
  await showing("t1");
  answer();
  await showing("t1", "t2");
  expect(stage.made.position).toBe(2);
});

test("the first mask of a practice case refused ends the case that is on the screen", async () => {
  const [first] = one(1, true).items;
  const second = { ...first, token: "t1b", image: "/items/t1b/image" };
  current = { ...one(1, true), items: [first, second] };
  toScore = () => {
    current = one(2);
    return problem(409, { detail: "Scored from another window." });
  };
  sitDown();
  await showing("t1");
  answer();
  await showing("t1", "t2");
});

test("a refused score of an item that was moved on from leaves the next one on the screen", async () => {
  ahead = one(2);
  toScore = () => {
    current = one(2);
    return problem(409, { detail: "Not the current one." });
  };
  sitDown();
  await showing("t1");
  answer();
  await showing("t1", "t2");
  await new Promise((resolve) => setTimeout(resolve, 50));
  await showing("t1", "t2");
});

test("each digit brings the next open question into sight, the last one stays there", async () => {
  sitDown(null, { ...study, questions });
  await showing("t1");
  for (let n = 0; n < 3; n++) sitting.obey({ kind: "digit", value: 2 });
  expect(stage.made.revealed).toEqual(["r", "s", "s"]);
});

test("Enter with questions open leads to the first of them", async () => {
  sitDown(null, { ...study, questions });
  await showing("t1");
  sitting.obey({ kind: "digit", value: 2 });
  sitting.obey({ kind: "confirm" });
  await vi.waitFor(() => expect(stage.made.revealed).toEqual(["r", "r"]));
});
