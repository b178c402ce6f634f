// Builds canonical volume bytes as the server sends them.
import type { Triple } from "../src/volume";

type Kind = "uint8" | "int16" | "uint16" | "float32" | "bits";

const CODES: Record<Kind, number> = { uint8: 2, int16: 4, uint16: 512, float32: 16, bits: 1 };

export function makeVolume(
  kind: Kind,
  shape: Triple,
  values: readonly number[],
  columns: readonly Triple[] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
): ArrayBuffer {
  const body = bodyOf(kind, values);
  const buffer = new ArrayBuffer(352 + body.byteLength);
  const view = new DataView(buffer);
  view.setInt32(0, 348, true);
  [3, ...shape].forEach((size, i) => view.setInt16(40 + 2 * i, size, true));
  view.setInt16(70, CODES[kind], true);
  view.setFloat32(108, 352, true);
  columns.forEach((column, axis) =>
    column.forEach((value, row) => view.setFloat32(280 + 16 * row + 4 * axis, value, true)));
  new Uint8Array(buffer).set(body, 352);
  return buffer;
}

function bodyOf(kind: Kind, values: readonly number[]): Uint8Array {
  if (kind === "bits") {
    const bits = new Uint8Array(Math.ceil(values.length / 8));
    values.forEach((value, i) => (bits[i >> 3] |= value << (i & 7)));
    return bits;
  }
  const Kinds = { uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, float32: Float32Array };
  return new Uint8Array(Kinds[kind].from(values).buffer);
}

export const range = (length: number) => Array.from({ length }, (_, i) => i);
