// Lets the buttons of the lock page say whether the study opens at once.

export function wakeLocking(form: HTMLFormElement): void {
  const box = form.elements.namedItem("open_now") as HTMLInputElement;
  const tell = (): void => {
    for (const button of document.querySelectorAll("[data-lock]")) {
      button.textContent = box.checked ? "Lock and open for rating" : "Lock the study";
    }
  };
  box.addEventListener("change", tell);
  tell();
}
