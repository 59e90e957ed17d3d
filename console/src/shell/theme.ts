/** Light or dark: as the system has it, or as the user chose. */

export type Theme = "system" | "light" | "dark";
const NAME = "headwater.theme";
const ORDER: Theme[] = ["system", "light", "dark"];

/** The choice. */
export function currentTheme(): Theme {
  try {
    const stored = localStorage.getItem(NAME) as Theme | null;
    return stored && ORDER.includes(stored) ? stored : "system";
  } catch {
    return "system";
  }
}

/** Shows the choice and keeps it. */
export function setTheme(theme: Theme): void {
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    // Without storage the choice lasts until a reload.
  }
  document.documentElement.dataset["theme"] = theme;
  dispatchEvent(new Event("themechange"));
}

/** The choice after this one. */
export const nextTheme = (theme: Theme): Theme => ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? "system";
