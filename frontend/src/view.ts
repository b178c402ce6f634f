// Where a picture lies on the screen: fit, zoom to a point, pan. Pure numbers.

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Screen pixels per mm and the picture point, in mm, at the middle of the screen. */
export interface View extends Point {
  readonly scale: number;
}

/** The picture's rectangle on the screen. */
export interface Frame extends Size {
  readonly left: number;
  readonly top: number;
}

const MARGIN = 28;
const SMALLEST = 0.5;
const LARGEST = 40;

/** Shows the whole picture (mm), or a square of it, with room for the letters around. */
export function fitView(picture: Size, screen: Size, square = Infinity): View {
  const scale = Math.max(
    0.01,
    Math.min(
      (screen.width - 2 * MARGIN) / Math.min(square, picture.width),
      (screen.height - 2 * MARGIN) / Math.min(square, picture.height),
    ),
  );
  return { scale, x: picture.width / 2, y: picture.height / 2 };
}

/** Zooms by a factor and keeps the picture point under the pointer where it is. */
export function zoomView(
  view: View,
  factor: number,
  pointer: Point,
  picture: Size,
  screen: Size,
): View {
  const fit = fitView(picture, screen).scale;
  const scale = Math.min(fit * LARGEST, Math.max(fit * SMALLEST, view.scale * factor));
  const dx = pointer.x - screen.width / 2;
  const dy = pointer.y - screen.height / 2;
  const x = view.x + dx / view.scale - dx / scale;
  const y = view.y + dy / view.scale - dy / scale;
  return keepInReach({ scale, x, y }, picture);
}

export function panView(view: View, dx: number, dy: number, picture: Size): View {
  const { scale, x, y } = view;
  return keepInReach({ scale, x: x - dx / scale, y: y - dy / scale }, picture);
}

export function frameOf(view: View, picture: Size, screen: Size): Frame {
  return {
    left: screen.width / 2 - view.x * view.scale,
    top: screen.height / 2 - view.y * view.scale,
    width: picture.width * view.scale,
    height: picture.height * view.scale,
  };
}

/** The picture point, in mm, under a point of the screen. */
export function pointUnder(view: View, at: Point, screen: Size): Point {
  return {
    x: view.x + (at.x - screen.width / 2) / view.scale,
    y: view.y + (at.y - screen.height / 2) / view.scale,
  };
}

/** The middle of the screen always shows some of the picture. */
function keepInReach(view: View, picture: Size): View {
  const x = Math.min(picture.width, Math.max(0, view.x));
  const y = Math.min(picture.height, Math.max(0, view.y));
  return { ...view, x, y };
}
