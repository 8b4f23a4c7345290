// The simulator's time: to see it, to let it jump, to let it stand still.
import * as api from "./api.js";
import { duration, hour, span } from "./clock.js";
import { icon } from "./dom.js";

const DATE = { weekday: "short", day: "numeric", month: "long", year: "numeric" };
const NOTICED = 2000; // milliseconds apart from this machine's time that are worth a word

export class ClockPanel {
  constructor({ root, button, clock, complaining }) {
    Object.assign(this, { root, button, clock });
    clock.addEventListener("tick", () => this.show());
    for (const jump of root.querySelectorAll("[data-seconds]")) {
      jump.addEventListener("click", () => complaining(this.change({ advance: Number(jump.dataset.seconds) })));
    }
    root.querySelector(".pause").addEventListener("click", () => complaining(this.change({ paused: !clock.paused })));
    root.querySelector(".own").addEventListener("submit", (event) => {
      event.preventDefault();
      complaining(this.own(event.target.elements.advance));
    });
    this.show();
  }

  async own(field) {
    const advance = duration(field.value);
    if (advance === null) throw new Error("Advance by: seconds, 15m, 2h, 3d or a duration such as PT24H.");
    await this.change({ advance });
    field.value = "";
  }

  async change(fields) {
    this.clock.set(await api.post("clock", fields));
  }

  fetch() {
    api.get("clock").then((state) => this.clock.set(state), () => {});
  }

  show() {
    const now = this.clock.now();
    const ahead = now - Date.now();
    const time = this.root.querySelector(".now time");
    time.dateTime = now.toISOString();
    time.textContent = hour(now, { seconds: true });
    this.root.querySelector(".date").textContent = now.toLocaleDateString([], DATE);
    const words = Math.abs(ahead) < NOTICED ? "As on this machine" : `${span(Math.abs(ahead) / 1000)} ${ahead > 0 ? "ahead of" : "behind"} this machine`;
    this.root.querySelector(".ahead").textContent = this.clock.paused ? `Stands still · ${words}` : words;
    this.button.querySelector(".shown-time").textContent = hour(now);
    this.button.classList.toggle("shifted", Math.abs(ahead) >= NOTICED || this.clock.paused);
    this.showPause();
  }

  showPause() {
    const { paused } = this.clock;
    const pause = this.root.querySelector(".pause");
    if (pause.getAttribute("aria-pressed") === String(paused)) return;
    pause.setAttribute("aria-pressed", paused);
    pause.replaceChildren(icon(paused ? "play" : "pause"), paused ? "Go on" : "Pause");
  }
}
