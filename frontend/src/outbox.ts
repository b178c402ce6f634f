// Sends confirmed scores in order and again until the server acknowledges each one.
import { RequestError, type Failure, type Receipt, type ScoreBody } from "./api";
import type { Entry, Store } from "./store";

/** What is true of the rater's answers at this moment, never better than it is. */
export type SaveState = "saved" | "saving" | Stop;

/** Why sending stopped with scores still waiting. */
type Stop = Exclude<Failure, "refused">;

export interface OutboxEvents {
  onState(state: SaveState, waiting: number): void;
  onSaved(receipt: Receipt, entry: Entry): void;
  /** No for good: the entry is kept, with the reason or what is stored, for the rater. */
  onRefused(error: RequestError, entry: Entry): void;
}

/** One confirmed item; those confirmed together are written down together. */
export type Letter = Pick<Entry, "token" | "url" | "body" | "place">;

export interface Outbox {
  /** Resolves when the scores are safe on this computer, not yet on the server. */
  post(letters: readonly Letter[]): Promise<void>;
  /** Tries now; resolves when nothing is left or nothing more can be done now. */
  flush(): Promise<void>;
  waiting(): Promise<number>;
  /** Entries that another window was ahead of, until the rater has decided. */
  rivals(): Promise<Entry[]>;
  /** Entries that the server will never store, until the rater has read of them. */
  refused(): Promise<Entry[]>;
  settle(entry: Entry): Promise<void>;
}

type Send = (url: string, body: ScoreBody) => Promise<Receipt>;

const DELAYS = [1_000, 2_000, 4_000, 8_000, 15_000];

export function openOutbox(room: string, store: Store, send: Send, on: OutboxEvents): Outbox {
  let running: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    running ??= drain().finally(() => (running = null));
    return running;
  };

  async function drain(): Promise<void> {
    for (;;) {
      const entries = await listUnsent(room, store);
      if (entries.length === 0) {
        // Another tab may have sent what failed here.
        failures = 0;
        return on.onState("saved", 0);
      }
      if (failures === 0) on.onState("saving", entries.length);
      const failure = await deliver(entries[0], store, send, on);
      if (failure) return stop(failure, entries.length);
      failures = 0;
    }
  }

  function stop(failure: Stop, waiting: number): void {
    on.onState(failure, waiting);
    if (failure === "signed-out") return;
    const delay = DELAYS[Math.min(failures++, DELAYS.length - 1)];
    timer = setTimeout(() => void flush(), delay);
  }

  return {
    async post(letters) {
      const before = await store.listEntries(room);
      const order = (before.at(-1)?.order ?? 0) + 1;
      await store.addEntries(letters.map((one, i) => ({ room, ...one, order: order + i })));
      // At once, so that no "saved" of an earlier score seems to speak of these.
      if (failures === 0) on.onState("saving", letters.length);
      void (running ?? Promise.resolve()).then(flush);
    },
    flush,
    waiting: async () => (await listUnsent(room, store)).length,
    rivals: async () => (await store.listEntries(room)).filter((entry) => entry.stored),
    refused: async () => (await store.listEntries(room)).filter(isRefused),
    settle: (entry) => store.removeEntry(entry),
  };
}

async function listUnsent(room: string, store: Store): Promise<Entry[]> {
  return (await store.listEntries(room)).filter((entry) => !entry.stored && !isRefused(entry));
}

function isRefused(entry: Entry): boolean {
  return entry.refused !== undefined;
}

/** Null once the entry is not to be sent any more, acknowledged or refused for good. */
async function deliver(
  entry: Entry,
  store: Store,
  send: Send,
  on: OutboxEvents,
): Promise<Stop | null> {
  try {
    const receipt = await send(entry.url, entry.body);
    if (receipt.saved !== true) return "busy";
    await forget(entry, store);
    on.onSaved(receipt, entry);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (error.failure !== "refused") return error.failure;
    await store.changeEntry(error.stored
      ? { ...entry, stored: error.stored } : { ...entry, refused: error.message });
    on.onRefused(error, entry);
  }
  return null;
}

/** What was refused of an item before is settled by an answer to it that is stored. */
async function forget(entry: Entry, store: Store): Promise<void> {
  const entries = await store.listEntries(entry.room);
  const settled = entries.filter((one) => one.token === entry.token && isRefused(one));
  for (const one of [...settled, entry]) await store.removeEntry(one);
}
