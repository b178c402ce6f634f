import "fake-indexeddb/auto";
import { beforeEach, expect, test, vi } from "vitest";
import { RequestError, sendScore, type Failure, type Receipt, type ScoreBody } from "../src/api";
import { openOutbox } from "../src/outbox";
import { memoryStore, openStore, type Store } from "../src/store";

const receipt: Receipt = { saved: true, replay: false, reference: null, done: 1, total: 2 };
const fail = (failure: Failure) => new RequestError(failure, failure);
const score = (key: string, value = 4): ScoreBody => ({
  client_key: key, answers: { quality: { value } }, comment: "", marks: [], base_revision: 0,
  change_reason: "", active_ms: 5, conduct: {},
});

const letter = (key: string) => ({ token: `token of ${key}`, url: "/scores", body: score(key) });

const kinds: [string, () => Promise<Store>][] = [
  ["IndexedDB", () => openStore(`test-${names++}`)],
  ["memory", async () => memoryStore()],
];

let names = 0;
let store: Store;

beforeEach(async () => {
  store = await openStore(`test-${names++}`);
});

/** An outbox over a server that answers from a list and then always yes. */
function open(answers: (Error | Receipt)[] = [], over = store) {
  const sent: ScoreBody[] = [];
  const states: string[] = [];
  const refused: string[] = [];
  const send = async (_: string, body: ScoreBody) => {
    sent.push(body);
    const answer = answers.shift() ?? receipt;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const box = openOutbox("room", over, send, {
    onState: (state) => states.push(state),
    onSaved: () => undefined,
    onRefused: (_, entry) => refused.push(entry.body.client_key),
  });
  return { box, sent, states, refused };
}

const settled = (box: { waiting(): Promise<number> }) =>
  vi.waitFor(async () => expect(await box.waiting()).toBe(0), { timeout: 9000 });

test("a score is written down before it is sent, and saved only when acknowledged", async () => {
  let writtenFirst = false;
  const states: string[] = [];
  const send = async () => {
    writtenFirst = (await store.listEntries("room")).length === 1;
    expect(states).not.toContain("saved");
    return receipt;
  };
  const events = { onState: (s: string) => states.push(s), onSaved: () => undefined, onRefused: () => undefined };
  const box = openOutbox("room", store, send, events);
  await box.post([letter("k")]);
  await vi.waitFor(() => expect(states.at(-1)).toBe("saved"));
  expect(writtenFirst).toBe(true);
  expect(states).toEqual(["saving", "saving", "saved"]);
});

test("a saved score never speaks for the next one, not even for a moment", async () => {
  const { box, states } = open([]);
  await box.post([letter("k")]);
  await vi.waitFor(() => expect(states.at(-1)).toBe("saved"));
  const before = states.length;
  const posting = box.post([letter("l")]);
  await posting;
  expect(states[before]).toBe("saving");
  await settled(box);
});

test("offline it says so, tries again by itself and sends the same body again", async () => {
  const { box, sent, states } = open([fail("offline"), fail("busy")]);
  await box.post([letter("k")]);
  await vi.waitFor(() => expect(states.at(-1)).toBe("saved"), { timeout: 9000 });
  expect(sent).toHaveLength(3);
  expect(new Set(sent.map((body) => JSON.stringify(body))).size).toBe(1);
  expect(states).toEqual(["saving", "saving", "offline", "busy", "saved"]);
}, 10_000);

test("an answer that does not say saved is no acknowledgement", async () => {
  const { box, states } = open([{ ...receipt, saved: false }]);
  await box.post([letter("k")]);
  await vi.waitFor(() => expect(states).toContain("busy"));
  expect(states).not.toContain("saved");
  expect(await box.waiting()).toBe(1);
});

test("scores go out in the order they were confirmed, one at a time", async () => {
  const { box, sent } = open([fail("offline")]);
  for (const key of ["c", "a", "b"]) await box.post([letter(key)]);
  await box.flush();
  await settled(box);
  expect(sent.map((body) => body.client_key).filter((key, i, all) => key !== all[i - 1]))
    .toEqual(["c", "a", "b"]);
});

test("signed out, scores wait until the next flush instead of knocking on", async () => {
  const { box, sent, states } = open([fail("signed-out")]);
  await box.post([letter("k")]);
  await vi.waitFor(() => expect(states.at(-1)).toBe("signed-out"));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(sent).toHaveLength(1);
  await box.flush();
  expect(states.at(-1)).toBe("saved");
});

test("scores confirmed together are written down together and acknowledged one by one", async () => {
  const told: string[] = [];
  const sizes: number[] = [];
  const send = async () => {
    sizes.push((await store.listEntries("room")).length);
    return receipt;
  };
  await store.keepDraft({ room: "room", token: "token of b", answers: {}, comment: "x" });
  const box = openOutbox("room", store, send, {
    onState: () => undefined,
    onSaved: (_, entry) => told.push(entry.body.client_key),
    onRefused: () => undefined,
  });
  await box.post([letter("a"), letter("b")]);
  expect(await store.findDraft("room", "token of b")).toBeNull();
  await settled(box);
  await vi.waitFor(() => expect(told).toEqual(["a", "b"]));
  expect(sizes).toEqual([2, 1]);
});

test("a refused score is not sent again and the next one still goes", async () => {
  const { box, sent, refused } = open([fail("refused")]);
  await box.post([letter("a")]);
  await box.post([letter("b")]);
  await settled(box);
  await box.flush();
  expect(refused).toEqual(["a"]);
  expect(sent.map((body) => body.client_key)).toEqual(["a", "b"]);
});

test.each(kinds)("in %s a refused score is kept with the reason until the rater has noted it", async (_, make) => {
  const kept = await make();
  const first = open([new RequestError("refused", "The study is closed.")], kept);
  await first.box.post([{ ...letter("k"), place: "Item 3" }]);
  await settled(first.box);
  const later = open([], kept).box;
  const [entry, ...more] = await later.refused();
  expect(more).toEqual([]);
  expect(entry).toMatchObject({ place: "Item 3", refused: "The study is closed.", body: score("k") });
  await later.settle(entry);
  expect(await first.box.refused()).toEqual([]);
});

test.each(kinds)("in %s a refusal brings nothing back that another tab had acknowledged", async (_, make) => {
  const kept = await make();
  const box = openOutbox("room", kept, async () => {
    await kept.removeEntry((await kept.listEntries("room"))[0]);
    throw fail("refused");
  }, { onState: () => undefined, onSaved: () => undefined, onRefused: () => undefined });
  await box.post([letter("k")]);
  await settled(box);
  expect(await box.refused()).toEqual([]);
});

test("a draft made since is no part of a refusal", async () => {
  const { box } = open([fail("refused")]);
  await box.post([letter("k")]);
  await store.keepDraft({ room: "room", token: "token of k", answers: {}, comment: "again" });
  await settled(box);
  expect(await store.findDraft("room", "token of k")).not.toBeNull();
});

test("an answer to the same item that is stored settles what was refused before", async () => {
  const { box } = open([fail("refused"), fail("refused")]);
  await box.post([letter("a"), letter("b")]);
  await settled(box);
  await box.post([{ ...letter("c"), token: "token of a" }]);
  await settled(box);
  expect((await box.refused()).map(({ token }) => token)).toEqual(["token of b"]);
});

test("after another tab has sent what failed here, the next score is on its way at once", async () => {
  const { box, states } = open([fail("offline")]);
  await box.post([letter("a")]);
  await vi.waitFor(() => expect(states.at(-1)).toBe("offline"));
  await store.removeEntry((await store.listEntries("room"))[0]);
  await box.flush();
  expect(states.at(-1)).toBe("saved");
  const before = states.length;
  await box.post([letter("b")]);
  expect(states[before]).toBe("saving");
  await settled(box);
});

test.each([
  ["503 of this site", 503, "application/problem+json"],
  ["409 of a proxy", 409, "text/html"],
])("a %s is busy: the score stays, and goes later by itself", async (_, status, kind) => {
  const answers = [new Response("{}", { status, headers: { "Content-Type": kind } })];
  vi.stubGlobal("document", { cookie: "csrftoken=T", querySelector: () => null });
  vi.stubGlobal("fetch", async () => answers.shift() ?? Response.json(receipt));
  const states: string[] = [];
  const box = openOutbox("room", store, sendScore, {
    onState: (state, waiting) => states.push(`${state} ${waiting}`),
    onSaved: () => undefined,
    onRefused: () => expect.unreachable(),
  });
  await box.post([letter("k")]);
  await vi.waitFor(() => expect(states.at(-1)).toBe("busy 1"));
  expect(await box.waiting()).toBe(1);
  await settled(box);
  await vi.waitFor(() => expect(states.at(-1)).toBe("saved 0"));
  vi.unstubAllGlobals();
});

test("what was not sent is found again by the next page, for its own room only", async () => {
  const name = `test-${names++}`;
  const first = open([fail("signed-out")], await openStore(name));
  await first.box.post([letter("k")]);
  await vi.waitFor(() => expect(first.states.at(-1)).toBe("signed-out"));
  const second = open([], await openStore(name));
  await second.box.flush();
  expect(second.sent.map((body) => body.client_key)).toEqual(["k"]);
  expect(await (await openStore(name)).listEntries("another room")).toEqual([]);
});

test.each(kinds)(
  "drafts in %s belong to one room and one item",
  async (_, make) => {
    const drafts = await make();
    const draft = { room: "room", token: "t", answers: { quality: { value: 2 } }, comment: "x" };
    await drafts.keepDraft(draft);
    expect(await drafts.findDraft("room", "t")).toEqual(draft);
    expect(await drafts.findDraft("other", "t")).toBeNull();
    await drafts.dropDraft("t");
    expect(await drafts.findDraft("room", "t")).toBeNull();
  },
);
