// What shall go wrong: a form for each kind of fault, and what is armed.
import * as api from "./api.js";
import { el, icon } from "./dom.js";
import { FIELDS, KINDS, MORE } from "./fault-kinds.js";

const SOON = 300; // milliseconds in which several things that happen are asked about once

export class FaultsPanel {
  constructor({ root, button, complaining }) {
    Object.assign(this, { root, button, complaining, count: 0 });
    this.form = root.querySelector(".arm");
    this.kind = this.form.elements.kind;
    this.kind.append(...groups());
    this.kind.addEventListener("change", () => this.choose());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); complaining(this.arm()); });
    this.clearing = root.querySelector(".clear");
    this.clearing.addEventListener("click", () => complaining(this.clear()));
    this.form.querySelector(".more").append(...MORE.map((name) => field(name)));
    this.choose();
  }

  choose() {
    const { what, fields } = KINDS[this.kind.value];
    this.form.querySelector(".what").textContent = what;
    this.form.querySelector(".fields").replaceChildren(...fields.map((name) => field(name, KINDS[this.kind.value])));
  }

  async arm() {
    const fault = { kind: this.kind.value };
    for (const input of this.form.querySelectorAll("[data-field]")) {
      const value = FIELDS[input.dataset.field].read(input.value.trim());
      const [name, inner] = input.dataset.field.split(".");
      if (value !== null && inner) fault[name] = { ...fault[name], [inner]: value };
      else if (value !== null) fault[name] = value;
    }
    this.show((await api.post("faults", fault)).faults);
    for (const input of this.form.querySelectorAll(".more [data-field]")) input.value = "";
  }

  async clear() {
    await api.remove("faults");
    this.show([]);
    this.kind.focus();
  }

  line(fault) {
    const name = KINDS[fault.kind]?.label ?? fault.kind;
    return el("li", {}, el("b", {}, name),
      el("span", { class: "left" }, fault.times === null ? "until cleared" : `${fault.times} left`),
      el("button", {
        type: "button", class: "round", "aria-label": `Disarm: ${name}`, title: "Disarm",
        on: { click: () => this.complaining(this.disarm(fault.sid)) },
      }, icon("close")),
      el("small", {}, told(fault).join(", ")));
  }

  async disarm(sid) {
    await api.remove(`faults/${encodeURIComponent(sid)}`);
    await this.fetch();
    this.kind.focus();
  }

  fetch() {
    clearTimeout(this.timer);
    this.timer = null;
    return api.get("faults").then(({ faults }) => this.show(faults), () => {});
  }

  soon() {
    this.timer ??= setTimeout(() => this.fetch(), SOON);
  }

  show(faults) {
    const shown = JSON.stringify(faults);
    if (shown === this.shown) return; // or a button would lose the focus
    this.shown = shown;
    this.count = faults.length;
    this.root.querySelector(".armed").replaceChildren(...faults.map((fault) => this.line(fault)));
    this.root.querySelector(".none").hidden = faults.length > 0;
    this.clearing.hidden = !faults.length;
    const count = this.button.querySelector(".armed-count");
    count.hidden = !faults.length;
    count.replaceChildren(...(faults.length ? [String(faults.length), el("span", { class: "hidden" }, " armed")] : []));
  }
}

function groups() {
  const names = [...new Set(Object.values(KINDS).map(({ group }) => group))];
  return names.map((name) => el("optgroup", { label: name }, ...Object.entries(KINDS)
    .filter(([, { group }]) => group === name).map(([kind, { label }]) => el("option", { value: kind }, label))));
}

function field(name, kind = {}) {
  const { label, choices, attributes = {}, hint } = FIELDS[name];
  const wanted = kind.choices?.[name] ?? choices;
  const id = `fault-${name}`;
  const common = { id, "data-field": name, "aria-describedby": hint && `${id}-hint` };
  const input = wanted
    ? el("select", common, ...wanted.map((value) => el("option", { value }, value === "" ? "any" : String(value))))
    : el("input", { ...common, autocomplete: "off", ...attributes });
  return el("div", { class: "field" }, el("label", { for: id }, label), input, hint && el("small", { id: `${id}-hint` }, hint));
}

// What is worth telling of an armed fault, in the words of its form.
function told(fault) {
  const wanted = [...(KINDS[fault.kind]?.fields ?? []), ...MORE].filter((name) => name !== "times");
  const values = wanted.map((name) => {
    const [outer, inner] = name.split(".");
    return [name, inner ? fault[outer]?.[inner] : fault[outer]];
  });
  return values.filter(([name, value]) => value !== null && value !== undefined && value !== "" && !(name === "seed" && !fault.rate))
    .map(([name, value]) => {
      const label = FIELDS[name].label.toLowerCase();
      return typeof value === "boolean" ? `${value ? "" : "not "}${label}` : `${label} ${value}`;
    });
}
