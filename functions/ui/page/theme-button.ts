import { find, setText } from "./dom.ts";
import { applyTheme, chosenTheme, nextTheme } from "./theme.ts";

/** The button that goes from the system's theme to light, to dark and back. `onChange` repaints what CSS does not. */
export function createThemeButton(onChange: () => void): void {
  const button = find("theme", HTMLButtonElement);
  const show = () => setText(button, `Theme: ${chosenTheme()}`);
  button.addEventListener("click", () => {
    applyTheme(nextTheme(chosenTheme()));
    show();
    onChange();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  show();
}
