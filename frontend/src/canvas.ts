// Draws one slice and its mask on a canvas, sharp at every pixel density.
import { traceContour, type Loop } from "./contour";
import type { MaskStyle } from "./display";
import { paintGrey, sliceMask, type Cut } from "./paint";
import type { Frame } from "./view";
import type { Mask, Volume } from "./volume";
import type { Window } from "./window";

/** All that decides the grey pixels. */
export interface Grey extends Cut {
  readonly volume: Volume;
  readonly window: Window;
  readonly inverted: boolean;
}

/** All that decides the canvas's pixels. */
export interface Scene extends Grey {
  /** Null while there is none, it is off, or it is held hidden. */
  readonly mask: Mask | null;
  readonly style: MaskStyle;
  readonly opacity: number;
  readonly colour: string;
  readonly smooth: boolean;
  /** The picture's rectangle in canvas pixels, whole numbers. */
  readonly frame: Frame;
  /** Canvas pixels for one CSS pixel. */
  readonly density: number;
}

export interface Painter {
  paint(scene: Scene | null): void;
  /** Takes grey pixels made ahead of their scene. */
  adopt(slide: Slide): void;
}

/** The grey pixels of a slice, made off screen. */
export interface Slide {
  readonly grey: Grey;
  readonly picture: HTMLCanvasElement;
  readonly image: ImageData;
}

const LINE = 1.5;

/** A painter that keeps the last slice, so that zoom and pan need no new pixels. */
export function openPainter(canvas: HTMLCanvasElement): Painter {
  const context = canvas.getContext("2d", { alpha: false })!;
  let slide: Slide | null = null;
  let outline: { mask: Mask; cut: Cut; loops: Loop[] } | null = null;

  const loopsOf = (mask: Mask, cut: Cut) => {
    if (outline?.mask !== mask || !sameCut(outline.cut, cut)) {
      outline = { mask, cut, loops: traceContour(sliceMask(mask, cut)) };
    }
    return outline.loops;
  };

  const paint = (scene: Scene | null) => {
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!scene) return void (slide = outline = null);
    if (!slide || !sameGrey(slide.grey, scene)) slide = makeSlide(scene, slide);
    drawGrey(context, slide.picture, scene);
    if (scene.mask) drawMask(context, loopsOf(scene.mask, scene), slide.picture, scene);
  };
  return { paint, adopt: (made) => void (slide = made) };
}

/** The grey pixels of a slice on a canvas of their own, one pixel a voxel; in place of `old`. */
export function makeSlide(grey: Grey, old: Slide | null = null): Slide {
  const words = old && new Uint32Array(old.image.data.buffer);
  const { width, height, pixels } =
    paintGrey(grey.volume, grey, grey.window, grey.inverted, words ?? undefined);
  const image = old && pixels.buffer === old.image.data.buffer && old.image.width === width
    ? old.image : new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
  const picture = old?.picture ?? document.createElement("canvas");
  if (picture.width !== width) picture.width = width;
  if (picture.height !== height) picture.height = height;
  // Kept in main memory: it is written each step, and a graphics card would hoard old ones.
  picture.getContext("2d", { willReadFrequently: true })!.putImageData(image, 0, 0);
  return { grey, picture, image };
}

function sameCut(a: Cut, b: Cut): boolean {
  return a.plane === b.plane && a.slice === b.slice && a.convention === b.convention;
}

function sameGrey(a: Grey, b: Grey): boolean {
  return a.volume === b.volume && sameCut(a, b) && a.window === b.window
    && a.inverted === b.inverted;
}

function drawGrey(context: CanvasRenderingContext2D, grey: HTMLCanvasElement, scene: Scene) {
  const { left, top, width, height } = scene.frame;
  context.imageSmoothingEnabled = scene.smooth;
  context.imageSmoothingQuality = "high";
  context.drawImage(grey, left, top, width, height);
}

/** Edges are rounded to whole canvas pixels: fill and line meet and stay crisp. */
function drawMask(
  context: CanvasRenderingContext2D,
  loops: readonly Loop[],
  size: { width: number; height: number },
  scene: Scene,
): void {
  const { style, opacity, colour, frame } = scene;
  const line = Math.max(1, Math.round(LINE * scene.density));
  if (style !== "outline") {
    context.globalAlpha = opacity;
    context.fillStyle = colour;
    context.fill(pathOf(loops, frame, size, 0));
    context.globalAlpha = 1;
  }
  if (style !== "fill") {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.stroke(pathOf(loops, frame, size, (line % 2) / 2));
  }
}

function pathOf(
  loops: readonly Loop[],
  frame: Frame,
  size: { width: number; height: number },
  shift: number,
): Path2D {
  const path = new Path2D();
  const x = (corner: number) => frame.left + Math.round((corner * frame.width) / size.width) + shift;
  const y = (corner: number) => frame.top + Math.round((corner * frame.height) / size.height) + shift;
  for (const loop of loops) {
    path.moveTo(x(loop[0]), y(loop[1]));
    for (let i = 2; i < loop.length; i += 2) path.lineTo(x(loop[i]), y(loop[i + 1]));
    path.closePath();
  }
  return path;
}
