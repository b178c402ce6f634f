// Shows as many anchor fields as the scale has points.

export function wakeAnchors(list: HTMLElement): void {
  const points = document.getElementById(list.dataset["anchors"]!);
  if (!(points instanceof HTMLSelectElement)) return;
  const show = (): void => {
    [...list.children].forEach((row, index) => {
      (row as HTMLElement).hidden = index >= Number(points.value);
    });
  };
  points.addEventListener("change", show);
  show();
}
