// The simulator's time. It may be ahead of this machine's, or stand still.
const TICK = 1000; // milliseconds
const ASK = 30_000; // milliseconds between questions what time it is, for clocks drift and others advance them

export class Clock extends EventTarget {
  constructor() {
    super();
    this.shift = 0; // milliseconds ahead of this machine
    this.stood = null; // the instant at which it stands still
    setInterval(() => this.tell(), TICK);
  }

  now() {
    return new Date(this.stood ?? Date.now() + this.shift);
  }

  get paused() {
    return this.stood !== null;
  }

  set({ now, paused }) {
    this.shift = Date.parse(now) - Date.now();
    this.stood = paused ? Date.parse(now) : null;
    this.tell();
  }

  tell() {
    this.dispatchEvent(new Event("tick"));
  }

  // `ask` fetches the state.
  async keep(ask) {
    const look = () => ask().then((state) => this.set(state)).catch(() => {});
    setInterval(look, ASK);
    await look();
  }
}

// In 24 hours wherever the reader is, as the simulator's records are.
export function hour(date, { seconds = false } = {}) {
  return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hourCycle: "h23" });
}

// "Today", "Yesterday" or the date, seen from `now`.
export function day(date, now) {
  const before = new Date(now);
  before.setDate(before.getDate() - 1);
  if (date.toDateString() === now.toDateString()) return "Today";
  if (date.toDateString() === before.toDateString()) return "Yesterday";
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year });
}

// "25 h 3 min" of seconds.
export function span(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const words = [];
  let rest = Math.round(seconds);
  for (const [size, unit] of parts) {
    if (rest >= size) { words.push(`${Math.floor(rest / size)} ${unit}`); rest %= size; }
  }
  return words.slice(0, 2).join(" ") || "0 s";
}

// Seconds of "90", "15m", "2h", "3d", or the ISO-8601 duration as it is; null when it is neither.
export function duration(text) {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(s|m|min|h|d)?$/i.exec(text.trim()) ?? [];
  if (amount) return Number(amount) * { s: 1, m: 60, min: 60, h: 3600, d: 86400 }[(unit ?? "s").toLowerCase()];
  return /^P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/i.test(text.trim()) ? text.trim().toUpperCase() : null;
}
