// Reads the two canonical volume layouts the server sends: an image and its mask.

/** A scalar image on closest-canonical axes: +x right, +y anterior, +z superior. */
export interface Volume {
  readonly shape: Triple;
  /** Voxel size along each axis in millimetres. */
  readonly spacing: Triple;
  /** Voxel index to millimetres in the scanner's space: three rows of four numbers. */
  readonly affine: Affine;
  /** Voxels with the first axis fastest. */
  readonly voxels: Voxels;
}

/** A binary mask on an image's grid, one bit a voxel, least significant bit first. */
export interface Mask {
  readonly shape: Triple;
  readonly bits: Uint8Array;
}

export type Triple = readonly [number, number, number];
export type Affine = readonly (readonly [number, number, number, number])[];
export type Voxels = Uint8Array | Int16Array | Uint16Array | Float32Array;

/** Bytes that are not what the server promised; the message is for the rater. */
export class VolumeError extends Error {}

const HEADER = 348;
const BINARY = 1;

interface Header {
  shape: Triple;
  spacing: Triple;
  affine: Affine;
  datatype: number;
  offset: number;
}

export function parseImage(buffer: ArrayBuffer): Volume {
  const header = readHeader(buffer);
  const voxels = viewVoxels(buffer, header);
  const { shape, spacing, affine } = header;
  return { shape, spacing, affine, voxels };
}

export function parseMask(buffer: ArrayBuffer, image: Volume): Mask {
  const header = readHeader(buffer);
  if (header.datatype !== BINARY) throw new VolumeError("The mask has an unknown type.");
  if (header.shape.some((size, axis) => size !== image.shape[axis])) {
    throw new VolumeError("The mask is not on the grid of its image.");
  }
  const length = Math.ceil(count(header.shape) / 8);
  requireBytes(buffer, header.offset + length);
  return { shape: header.shape, bits: new Uint8Array(buffer, header.offset, length) };
}

export function isMarked(mask: Mask, index: number): boolean {
  return ((mask.bits[index >> 3] >> (index & 7)) & 1) === 1;
}

export function count(shape: Triple): number {
  return shape[0] * shape[1] * shape[2];
}

function readHeader(buffer: ArrayBuffer): Header {
  requireBytes(buffer, HEADER + 4);
  const view = new DataView(buffer);
  if (view.getInt32(0, true) !== HEADER) {
    throw new VolumeError("The file is not a volume this page can show.");
  }
  if (view.getInt16(40, true) !== 3) {
    throw new VolumeError("The file does not hold one three-dimensional volume.");
  }
  const shape: Triple = [42, 44, 46].map((at) => view.getInt16(at, true)) as never;
  if (shape.some((size) => size < 1)) throw new VolumeError("The volume is empty.");
  const affine = readAffine(view);
  return {
    shape,
    spacing: readSpacing(affine),
    affine,
    datatype: view.getInt16(70, true),
    offset: view.getFloat32(108, true),
  };
}

function readAffine(view: DataView): Affine {
  const entry = (row: number, column: number) =>
    view.getFloat32(280 + 16 * row + 4 * column, true);
  return [0, 1, 2].map((row) => [entry(row, 0), entry(row, 1), entry(row, 2), entry(row, 3)]);
}

/** Lengths of the affine's columns: true also where pixdim was left untouched. */
function readSpacing(affine: Affine): Triple {
  const length = (axis: number) => Math.hypot(...affine.map((row) => row[axis]));
  const spacing: Triple = [length(0), length(1), length(2)];
  if (!spacing.every((size) => size > 0 && Number.isFinite(size))) {
    throw new VolumeError("The volume has no usable voxel size.");
  }
  return spacing;
}

function viewVoxels(buffer: ArrayBuffer, header: Header): Voxels {
  const length = count(header.shape);
  const kinds = { 2: Uint8Array, 4: Int16Array, 512: Uint16Array, 16: Float32Array };
  const Kind = kinds[header.datatype as keyof typeof kinds];
  if (!Kind) throw new VolumeError("The image has an unknown type.");
  requireBytes(buffer, header.offset + length * Kind.BYTES_PER_ELEMENT);
  return new Kind(buffer, header.offset, length);
}

function requireBytes(buffer: ArrayBuffer, needed: number): void {
  if (buffer.byteLength < needed) {
    throw new VolumeError("The file arrived incomplete.");
  }
}
