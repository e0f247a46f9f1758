/** Loaded before the page is drawn, so that a chosen theme does not follow a flash of the other one. */
import { applyTheme, chosenTheme } from "./theme.ts";

applyTheme(chosenTheme());
