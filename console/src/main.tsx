/** Starts the console. */

import { render } from "preact";
import { App } from "./shell/App";
import { currentTheme, setTheme } from "./shell/theme";
import "./style.css";

setTheme(currentTheme());
const root = document.getElementById("app");
if (root) render(<App />, root);
