// The phones on the page. Which there are is kept in this browser; one of them is current, which a small screen shows alone.
import { split } from "./channel.js";
import { ask } from "./dialog.js";
import { el, icon } from "./dom.js";
import { Phone, badge } from "./phone.js";
import { plain, pretty } from "./text.js";

const STORE = "simulator.phones";
const NAMES = ["Ana", "Ben", "Chen", "Dalia", "Emre", "Fatou", "Goran", "Hana", "Iris", "Jonas", "Kofi", "Lena"];

export class Desk {
  constructor({ settings, clock, announce }) {
    Object.assign(this, { settings, clock, announce });
    this.phones = [];
    this.strangers = new Map(); // number -> how many texts went there
    this.ignored = new Set();
    this.root = document.querySelector(".desk");
    this.ghost = document.querySelector(".ghost");
    this.switcher = document.querySelector(".switcher");
    for (const button of document.querySelectorAll(".add, .ghost")) button.addEventListener("click", () => this.add());
    document.addEventListener("visibilitychange", () => this.look());
    matchMedia("(max-width: 719px)").addEventListener("change", () => this.look());
    const saved = this.saved();
    for (const phone of saved.length ? saved : [this.fresh()]) this.put(phone);
    this.turn(this.phones.find(({ id }) => id === saved.find(({ current }) => current)?.id) ?? this.phones[0]);
  }

  get(number) {
    return this.phones.find((phone) => phone.number === number);
  }

  put(saved) {
    const phone = new Phone(saved, this);
    this.phones.push(phone);
    this.root.insertBefore(phone.root, this.ghost);
    phone.root.querySelector(".edit").addEventListener("click", () => this.edit(phone));
    phone.root.querySelector(".remove").addEventListener("click", () => this.remove(phone));
    phone.root.addEventListener("focusin", () => { if (phone !== this.current) this.turn(phone); });
    phone.addEventListener("change", () => this.changed());
    this.changed();
    return phone;
  }

  add(given = {}) {
    const phone = this.put({ ...this.fresh(), ...given });
    this.turn(phone);
    phone.fetch().catch(() => {});
    phone.root.scrollIntoView({ block: "nearest", inline: "nearest" });
    phone.composer.input.focus();
  }

  async edit(phone) {
    const values = await ask("edit", {
      fill: ({ elements }) => { elements.name.value = phone.name; elements.number.value = phone.number; },
      check: ({ name, number }) => this.wrong(phone, name.trim(), plain(number)),
    });
    if (!values) return;
    const number = plain(values.number);
    const moved = number !== phone.number;
    phone.rename(values.name.trim(), number);
    if (moved) { phone.clear(); await phone.fetch().catch(() => {}); }
    this.known(number);
    this.changed();
  }

  wrong(phone, name, number) {
    if (!name) return "A name is needed.";
    if (!number) return "The number must be a plus and 7 to 15 digits.";
    if (Object.values(this.settings).includes(number)) return "This number is one of the product's.";
    const other = this.get(number);
    return other && other !== phone ? `${other.name} has this number.` : "";
  }

  remove(phone) {
    const place = this.phones.indexOf(phone);
    this.phones.splice(place, 1);
    phone.leave();
    if (!this.phones.length) this.put(this.fresh());
    this.turn(this.phones[Math.min(place, this.phones.length - 1)]);
    this.current.root.querySelector(".edit").focus();
    this.changed();
  }

  turn(phone) {
    this.current = phone;
    for (const other of this.phones) other.root.classList.toggle("current", other === phone);
    this.changed();
    phone.look();
  }

  look() {
    for (const phone of this.phones) phone.look();
  }

  // Records of the simulator.
  take(view) {
    const { number } = split(view.phone);
    const phone = this.get(number);
    if (!phone) { if (view.direction !== "inbound") this.stranger(number); return; }
    const message = phone.take(view, { live: true });
    if (message && !message.mine) this.announce(`${phone.name}, new message: ${message.summary}`);
  }

  typing({ phone: address, message_sid: sid }) {
    const { channel, number } = split(address);
    this.get(number)?.typing({ channel, sid });
  }

  update(sid, change) {
    for (const phone of this.phones) {
      const message = phone.messages.get(sid);
      if (!message) continue;
      message.update(typeof change === "function" ? change(message) : change);
      phone.look();
    }
  }

  clear() {
    this.strangers.clear();
    this.showStrangers();
    for (const phone of this.phones) phone.clear();
  }

  // The last record that all phones have seen.
  async fetch() {
    return Math.min(...await Promise.all(this.phones.map((phone) => phone.fetch())));
  }

  stranger(number) {
    if (!/^\+\d+$/.test(number) || this.ignored.has(number)) return;
    this.strangers.set(number, (this.strangers.get(number) ?? 0) + 1);
    this.showStrangers();
  }

  ignore(number) {
    this.ignored.add(number);
    this.known(number);
    document.querySelector(".add").focus();
  }

  known(number) {
    if (this.strangers.delete(number)) this.showStrangers();
  }

  showStrangers() {
    document.querySelector(".strangers").replaceChildren(...[...this.strangers].slice(-3).map(([number, count]) => el("p", {},
      `${count === 1 ? "A text" : `${count} texts`} went to ${pretty(number)}, which is not here. `,
      el("button", { type: "button", on: { click: () => { this.known(number); this.add({ number }); } } }, "Put this phone on the desk"),
      el("button", { type: "button", class: "round", "aria-label": `Not ${pretty(number)}`, title: "Not this one", on: { click: () => this.ignore(number) } }, icon("close")))));
  }

  changed() {
    this.keep();
    const unread = this.phones.reduce((sum, phone) => sum + phone.unread, 0);
    document.title = unread ? `(${unread}) Phones` : "Phones";
    const items = this.phones.map((phone) => this.switchTo(phone));
    if (items.some((item, i) => !item.isEqualNode(this.switcher.children[i])) || items.length !== this.switcher.children.length) {
      const focused = [...this.switcher.children].indexOf(document.activeElement);
      this.switcher.replaceChildren(...items);
      items[focused]?.focus();
    }
  }

  switchTo(phone) {
    const count = el("span", { class: "unread" });
    badge(count, phone.unread);
    return el("button", {
      type: "button", "aria-current": phone === this.current ? "true" : "false", on: { click: () => this.turn(phone) },
    }, el("span", { class: "avatar", "aria-hidden": "true" }, [...phone.name][0]), el("span", { class: "name", dir: "auto" }, phone.name), count);
  }

  keep() {
    const saved = this.phones.map(({ id, name, number, channel }, i) =>
      ({ id, name, number, channel, current: this.phones[i] === this.current }));
    try { localStorage.setItem(STORE, JSON.stringify(saved)); } catch { /* private windows may refuse */ }
  }

  saved() {
    try {
      const saved = JSON.parse(localStorage.getItem(STORE) ?? "[]");
      return saved.filter(({ number, channel }) => plain(number) === number && ["sms", "whatsapp"].includes(channel))
        .map((phone, i) => ({ ...this.fresh(i), ...phone }));
    } catch { return []; }
  }

  fresh(place = this.phones.length) {
    const taken = new Set(this.phones.map(({ name }) => name));
    const name = NAMES.slice(place).find((free) => !taken.has(free)) ?? NAMES.find((free) => !taken.has(free)) ?? "Someone";
    let number;
    do number = `+1555${String(2_000_000 + Math.floor(Math.random() * 7_999_999)).padStart(7, "0")}`;
    while (this.get(number) || Object.values(this.settings).includes(number));
    return { id: `p${number.slice(1)}`, name, number };
  }
}
