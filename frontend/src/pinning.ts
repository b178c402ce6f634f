// Keeps a notice at the head of whatever page the room shows, for as long as it holds.
export interface Pinned {
  show(shown: boolean): void;
}

export function pin(root: HTMLElement, element: HTMLElement): Pinned {
  let holds = false;
  const place = () => {
    if (holds) (root.querySelector(".rail-body, .page") ?? root).prepend(element);
    else element.remove();
  };
  // Pages of the room come and go, and the notice stays.
  new MutationObserver(place).observe(root, { childList: true });
  return {
    show(shown) {
      holds = shown;
      place();
    },
  };
}
