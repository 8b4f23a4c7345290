// Keeps the page up to date and answers keys. Without it, everything is still there.
import { tell } from "./times.js";

tell();
