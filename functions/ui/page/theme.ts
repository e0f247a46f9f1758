/** The reader's choice of light or dark; without one the system's counts. Runs before the first paint. */
const key = "greetings-theme";
const choices = ["auto", "light", "dark"] as const;
export type Theme = (typeof choices)[number];

/** What the page has, else what was kept from an earlier visit. */
export function chosenTheme(): Theme {
  const known = document.documentElement.dataset.theme ?? kept();
  return choices.find((choice) => choice === known) ?? "auto";
}

export function nextTheme(theme: Theme): Theme {
  return choices[(choices.indexOf(theme) + 1) % choices.length] ?? "auto";
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(key, theme);
  } catch {
    // It then holds until the page is closed.
  }
}

/** Nothing where storage is forbidden. */
function kept(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
