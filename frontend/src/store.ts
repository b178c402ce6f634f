// Keeps drafts and scores not stored yet in IndexedDB: opaque tokens, numbers and answers.
import type { Answer, ScoreBody, Stored } from "./api";

/** A confirmed score on its way to the server. */
export interface Entry {
  readonly room: string;
  readonly token: string;
  readonly url: string;
  readonly body: ScoreBody;
  readonly order: number;
  /** What the rater calls the item: "Item 3, left". */
  readonly place?: string | undefined;
  /** Why the server will never store it: waits for the rater to read that. */
  readonly refused?: string;
  /** Another window was first with this: waits for the rater's word, not to be sent. */
  readonly stored?: Stored;
}

/** What a rater has chosen but not confirmed. */
export interface Draft {
  readonly room: string;
  readonly token: string;
  readonly answers: Readonly<Record<string, Answer>>;
  readonly comment: string;
  readonly marks?: readonly string[];
}

export interface Store {
  /** Writes down what was confirmed, all or nothing; it is no longer a draft. */
  addEntries(entries: readonly Entry[]): Promise<void>;
  /** Adds to an entry what became of it, unless another tab has removed it. */
  changeEntry(entry: Entry): Promise<void>;
  removeEntry(entry: Entry): Promise<void>;
  /** Entries of one room, oldest first. */
  listEntries(room: string): Promise<Entry[]>;
  keepDraft(draft: Draft): Promise<void>;
  dropDraft(token: string): Promise<void>;
  findDraft(room: string, token: string): Promise<Draft | null>;
}

const ENTRIES = "entries";
const DRAFTS = "drafts";

export async function openStore(name = "rating-room"): Promise<Store> {
  const database = await openDatabase(name);
  const write = (tables: string[], act: (change: IDBTransaction) => void) =>
    new Promise<void>((resolve, reject) => {
      const change = database.transaction(tables, "readwrite", { durability: "strict" });
      act(change);
      change.oncomplete = () => resolve();
      change.onabort = () => reject(change.error);
    });
  const read = <T>(table: string, act: (store: IDBObjectStore) => IDBRequest) =>
    settle<T>(act(database.transaction(table).objectStore(table)));
  return {
    addEntries: (entries) => write([ENTRIES, DRAFTS], (change) => {
      for (const entry of entries) {
        change.objectStore(ENTRIES).put(entry, entry.body.client_key);
        change.objectStore(DRAFTS).delete(entry.token);
      }
    }),
    changeEntry: (entry) => write([ENTRIES], (change) => {
      const table = change.objectStore(ENTRIES);
      const found = table.count(entry.body.client_key);
      found.onsuccess = () => found.result && table.put(entry, entry.body.client_key);
    }),
    removeEntry: (entry) => write([ENTRIES], (change) =>
      void change.objectStore(ENTRIES).delete(entry.body.client_key)),
    async listEntries(room) {
      const all = await read<Entry[]>(ENTRIES, (store) => store.getAll());
      return all.filter((entry) => entry.room === room).sort((a, b) => a.order - b.order);
    },
    keepDraft: (draft) => write([DRAFTS], (change) =>
      void change.objectStore(DRAFTS).put(draft, draft.token)),
    dropDraft: (token) => write([DRAFTS], (change) =>
      void change.objectStore(DRAFTS).delete(token)),
    async findDraft(room, token) {
      const draft = await read<Draft | undefined>(DRAFTS, (store) => store.get(token));
      return draft?.room === room ? draft : null;
    },
  };
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(ENTRIES);
    request.result.createObjectStore(DRAFTS);
  };
  return settle(request);
}

function settle<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error);
  });
}

/** For browsers that keep nothing: safe only as long as the page is open. */
export function memoryStore(): Store {
  const entries = new Map<string, Entry>();
  const drafts = new Map<string, Draft>();
  return {
    async addEntries(added) {
      for (const entry of added) {
        entries.set(entry.body.client_key, entry);
        drafts.delete(entry.token);
      }
    },
    async changeEntry(entry) {
      if (entries.has(entry.body.client_key)) entries.set(entry.body.client_key, entry);
    },
    removeEntry: async (entry) => void entries.delete(entry.body.client_key),
    listEntries: async (room) =>
      [...entries.values()].filter((entry) => entry.room === room),
    keepDraft: async (draft) => void drafts.set(draft.token, draft),
    dropDraft: async (token) => void drafts.delete(token),
    findDraft: async (room, token) => {
      const draft = drafts.get(token);
      return draft?.room === room ? draft : null;
    },
  };
}
