// What was said between one phone and one number on one channel: messages in their order, days, the typing dots.
import { day } from "./clock.js";
import { arrange, el } from "./dom.js";

const TOGETHER = 120_000; // milliseconds between texts that are drawn as one run
const NEAR = 90; // pixels from the end at which a reader follows what comes
const DOTS = 25_000; // milliseconds; https://www.twilio.com/docs/whatsapp/api/typing-indicators-resource

export class Thread {
  constructor(channel) {
    this.channel = channel;
    this.messages = [];
    this.unread = 0;
    this.below = 0;
    this.draft = { text: "", files: [], quoted: null };
    this.days = new Map();
    this.writing = false;
    this.scrolled = null; // pixels, as it was left; null: at the end
  }

  add(message) {
    let place = this.messages.length;
    while (place > 0 && this.messages[place - 1].created > message.created) place -= 1;
    this.messages.splice(place, 0, message);
    if (!message.mine) this.still();
  }

  clear() {
    this.still();
    Object.assign(this, { messages: [], unread: 0, below: 0, scrolled: null });
    this.draft.quoted = null;
  }

  // The product writes: three dots, until it has answered or given up.
  dots(changed) {
    this.writing = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.still(); changed(); }, DOTS);
  }

  still() {
    this.writing = false;
    clearTimeout(this.timer);
  }

  // Children of the log, oldest first; `now` decides what is today.
  nodes(now) {
    const nodes = [];
    let last = null;
    this.messages.forEach((message, i) => {
      const key = message.created.toDateString();
      if (key !== last?.created.toDateString()) nodes.push(this.dayNode(key, day(message.created, now)));
      const next = this.messages[i + 1];
      message.node.classList.toggle("start", !together(last, message));
      message.node.classList.toggle("end", !together(message, next));
      nodes.push(message.node);
      last = message;
    });
    return nodes;
  }

  dayNode(key, words) {
    if (!this.days.has(key)) this.days.set(key, el("li", { class: "day" }, el("span", {})));
    const node = this.days.get(key);
    if (node.textContent !== words) node.firstElementChild.textContent = words;
    return node;
  }
}

function together(one, other) {
  return Boolean(one && other) && one.mine === other.mine && other.created - one.created < TOGETHER &&
    one.created.toDateString() === other.created.toDateString();
}

// The part of a phone that shows a thread, and moves in it.
export class ThreadView {
  constructor(root, clock) {
    this.box = root.querySelector(".thread");
    this.log = root.querySelector(".log");
    this.empty = root.querySelector(".empty");
    this.typing = root.querySelector(".typing");
    this.button = root.querySelector(".to-end");
    this.clock = clock;
    this.button.addEventListener("click", () => { this.end(); this.box.focus(); });
    this.box.addEventListener("scroll", () => this.watch(), { passive: true });
    this.box.addEventListener("keydown", (event) => this.step(event));
    this.box.addEventListener("focusin", ({ target }) => this.hold(target.closest(".said")));
    // Pictures and dots make it longer after it was drawn.
    new ResizeObserver(() => { this.notice(); if (this.following) this.end(); }).observe(this.log);
  }

  show(thread) {
    if (this.thread) this.thread.scrolled = this.following ? null : this.box.scrollTop;
    this.thread = thread;
    this.following = thread.scrolled === null;
    this.top = 0;
    this.draw();
    if (!this.following) this.box.scrollTop = thread.scrolled;
  }

  draw() {
    this.notice();
    const nodes = this.thread.nodes(this.clock.now());
    arrange(this.log, nodes);
    this.empty.hidden = nodes.length > 0;
    this.typing.hidden = !this.thread.writing;
    if (this.following) this.end();
    this.watch();
  }

  end() {
    this.following = true;
    this.box.scrollTop = this.box.scrollHeight;
    this.top = this.box.scrollTop;
  }

  // The browser tells of a reader's scrolling a moment later than it happens.
  notice() {
    if (this.following && this.box.scrollTop < this.top - NEAR) this.watch();
  }

  watch() {
    this.following = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR;
    if (this.following) this.thread.below = 0;
    this.button.hidden = this.following;
    this.button.querySelector(".count").textContent = this.thread.below || "";
  }

  hold(node) {
    for (const message of this.thread.messages) message.hold(message.node === node);
  }

  // Arrows walk from message to message.
  step(event) {
    const move = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }[event.key];
    const { messages } = this.thread;
    if (!move || !messages.length || event.target.closest("button, a, audio, video")) return;
    event.preventDefault();
    const at = messages.findIndex(({ node }) => node === document.activeElement);
    const from = at < 0 ? (move < 0 ? messages.length : -1) : at;
    messages[Math.max(0, Math.min(messages.length - 1, from + move))].reveal();
  }
}
