// A button that copies the text of another element, and says so in its own words.

export function wakeCopying(button: HTMLButtonElement): void {
  const source = document.getElementById(button.dataset.copy ?? "");
  // Without a secure page there is no clipboard; the text is then copied by hand.
  if (!source || !navigator.clipboard) return;
  const words = button.textContent;
  button.hidden = false;
  button.addEventListener("click", () => {
    const done = (text: string): void => {
      button.textContent = text;
      setTimeout(() => (button.textContent = words), 4000);
    };
    navigator.clipboard.writeText(source.textContent?.trim() ?? "").then(
      () => done("Copied"),
      () => done("Not copied: mark it and copy it by hand"),
    );
  });
}
