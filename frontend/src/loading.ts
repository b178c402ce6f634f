// Fetches and decodes presentations, this one and at most one ahead, in memory only.
import { ask, RequestError, type Presentation } from "./api";
import { parseImage, parseMask, VolumeError, type Mask, type Volume } from "./volume";
import { findPresets, type Presets } from "./window";

/** An item ready to be painted. */
export interface Loaded extends Series {
  readonly mask: Mask;
  /** A second series of the same case, where the protocol provides one. */
  readonly context: Series | null;
}

export interface Series {
  readonly volume: Volume;
  readonly presets: Presets;
}

export interface Bytes {
  readonly got: number;
  readonly total: number;
}

type Watch = (bytes: Bytes) => void;

export interface Shelf {
  /** Its items, from memory if they were fetched ahead; `watch` hears of the bytes. */
  load(presentation: Presentation, watch?: Watch): Promise<Loaded[]>;
  /** Forgets, and stops fetching, everything but these. */
  keepOnly(presentations: readonly Presentation[]): void;
}

interface Slot {
  readonly loaded: Promise<Loaded[]>;
  readonly abort: AbortController;
  readonly watchers: Set<Watch>;
  bytes: Bytes;
}

export function openShelf(fetchItems = fetchLoaded): Shelf {
  const slots = new Map<string, Slot>();

  function start(presentation: Presentation): Slot {
    const name = nameOf(presentation);
    const abort = new AbortController();
    const watchers = new Set<Watch>();
    const hear = (bytes: Bytes) => {
      slot.bytes = bytes;
      watchers.forEach((watch) => watch(bytes));
    };
    const loaded = fetchItems(presentation, abort.signal, hear);
    const slot: Slot = { loaded, abort, watchers, bytes: { got: 0, total: 0 } };
    slots.set(name, slot);
    loaded.catch(() => slots.get(name) === slot && slots.delete(name));
    return slot;
  }

  return {
    load(presentation, watch) {
      const slot = slots.get(nameOf(presentation)) ?? start(presentation);
      if (watch) {
        slot.watchers.add(watch);
        watch(slot.bytes);
      }
      return slot.loaded;
    },
    keepOnly(presentations) {
      const wanted = new Set(presentations.map(nameOf));
      for (const [name, slot] of slots) {
        if (wanted.has(name)) continue;
        slot.abort.abort();
        slots.delete(name);
      }
    },
  };
}

function nameOf(presentation: Presentation): string {
  return presentation.items[0].token;
}

/** The image once, and on it the mask of each item. */
async function fetchLoaded(
  { items }: Presentation,
  signal: AbortSignal,
  hear: Watch,
): Promise<Loaded[]> {
  const sums: Bytes[] = [];
  const hearPart = (part: number) => (bytes: Bytes) => {
    sums[part] = bytes;
    const total = (key: keyof Bytes) => sums.reduce((sum, one) => sum + (one?.[key] ?? 0), 0);
    hear({ got: total("got"), total: total("total") });
  };
  const { context } = items[0];
  const [image, second, ...masks] = await Promise.all([
    fetchBytes(items[0].image, signal, hearPart(0), true),
    context ? fetchBytes(context, signal, hearPart(1), true) : null,
    ...items.map(({ mask }, i) => fetchBytes(mask, signal, hearPart(i + 2), false)),
  ]);
  const series = readSeries(image);
  const other = second && readSeries(second);
  return masks.map((mask) =>
    ({ ...series, mask: parseMask(mask!, series.volume), context: other }));
}

function readSeries(bytes: ArrayBuffer): Series {
  const volume = parseImage(bytes);
  return { volume, presets: findPresets(volume.voxels, volume.shape) };
}

async function fetchBytes(
  url: string,
  signal: AbortSignal,
  hear: Watch,
  zipped: boolean,
): Promise<ArrayBuffer> {
  const response = await ask(url, { signal });
  const total = Number(response.headers.get("Content-Length")) || 0;
  if (!response.body) throw new VolumeError("The server sent nothing.");
  const counted = countBytes(response.body, total, hear);
  const plain = zipped ? inflate(counted.stream) : counted.stream;
  try {
    return await new Response(plain).arrayBuffer();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (counted.broken()) throw new RequestError("offline", "The connection was lost.");
    throw new VolumeError("The file arrived incomplete or damaged.", { cause: error });
  }
}

/** Passes a body on, tells how much came, and knows whether the network cut it. */
function countBytes(body: ReadableStream<Uint8Array>, total: number, hear: Watch) {
  const reader = body.getReader();
  let got = 0;
  let broken = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        hear({ got: (got += value.byteLength), total });
        controller.enqueue(value as Uint8Array<ArrayBuffer>);
      } catch (error) {
        broken = true;
        controller.error(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { stream, broken: () => broken };
}

function inflate(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream {
  return stream.pipeThrough(new DecompressionStream("gzip"));
}
