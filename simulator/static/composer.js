// Where a person writes: text, files by picker, paste and drop, the message that is replied to.
import { CHANNELS } from "./channel.js";
import { el, icon } from "./dom.js";

const MAX_FILE = 16 * 1024 * 1024; // bytes; WhatsApp's limit, and far above what MMS carries

export class Composer {
  // `send({text, files, quoted})` resolves once the simulator has it.
  constructor(root, { send, complain }) {
    this.root = root;
    this.form = root.querySelector(".composer");
    this.input = this.form.querySelector("textarea");
    this.file = this.form.querySelector(".file");
    this.tray = this.form.querySelector(".tray");
    this.send = send;
    this.complain = complain;
    this.listen();
    this.listenForFiles();
  }

  listen() {
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.input.addEventListener("input", () => this.grow());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.submit();
      }
      if (event.key === "Escape" && this.draft.quoted) {
        event.stopPropagation();
        this.quote(null);
      }
    });
    this.form.querySelector(".unquote").addEventListener("click", () => { this.quote(null); this.input.focus(); });
  }

  listenForFiles() {
    this.form.querySelector(".attach").addEventListener("click", () => this.file.click());
    this.file.addEventListener("change", () => { this.attach(this.file.files); this.file.value = ""; });
    this.input.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length) { event.preventDefault(); this.attach(event.clipboardData.files); }
    });
    const device = this.root.querySelector(".device");
    const carries = (event) => event.dataTransfer?.types.includes("Files");
    device.addEventListener("dragover", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      device.classList.add("over");
    });
    device.addEventListener("dragleave", (event) => { if (!device.contains(event.relatedTarget)) device.classList.remove("over"); });
    device.addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      device.classList.remove("over");
      this.attach(event.dataTransfer.files);
    });
  }

  // Shows the draft of a channel; the one shown before is kept as it was left.
  open(channel, draft, label) {
    if (this.draft) this.draft.text = this.input.value;
    this.channel = CHANNELS[channel];
    this.draft = draft;
    this.input.value = draft.text;
    this.input.maxLength = this.channel.length;
    this.form.querySelector("label").textContent = label;
    this.form.querySelector(".place").hidden = !this.channel.places;
    this.quote(draft.quoted);
    this.showFiles();
    this.grow();
  }

  quote(message) {
    this.draft.quoted = message;
    const line = this.form.querySelector(".quoting");
    line.hidden = !message;
    line.querySelector(".quoted").textContent = message?.summary ?? "";
  }

  attach(files) {
    this.complain("");
    for (const file of files) {
      if (file.size > MAX_FILE) this.complain(`${file.name} is too large: at most 16 MB can be sent.`);
      else if (this.draft.files.length >= 10) this.complain("At most 10 files can be sent at once.");
      else this.draft.files.push(file);
    }
    this.showFiles();
    this.input.focus();
  }

  showFiles() {
    for (const image of this.tray.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    this.tray.replaceChildren(...this.draft.files.map((file) => el("li", {},
      file.type.startsWith("image/") ? el("img", { src: URL.createObjectURL(file), alt: "" }) : icon("file"),
      el("span", { dir: "auto" }, file.name),
      el("button", {
        type: "button", class: "round", "aria-label": `Do not send ${file.name}`,
        on: { click: () => { this.draft.files.splice(this.draft.files.indexOf(file), 1); this.showFiles(); this.input.focus(); } },
      }, icon("close")))));
    this.tray.hidden = !this.draft.files.length;
    this.ready();
  }

  ready() {
    this.form.classList.toggle("ready", Boolean(this.input.value.trim() || this.draft.files.length));
  }

  grow() {
    this.ready();
    if (CSS.supports("field-sizing", "content")) return;
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight}px`;
  }

  async submit() {
    const { draft } = this;
    const parts = { text: this.input.value.trim(), files: draft.files, quoted: draft.quoted };
    if ((!parts.text && !parts.files.length) || this.busy) return;
    this.busy = true;
    this.form.setAttribute("aria-busy", "true");
    Object.assign(draft, { text: "", files: [] });
    this.input.value = "";
    this.quote(null);
    this.showFiles();
    this.grow();
    try {
      await this.send(parts);
      this.complain("");
    } catch (problem) {
      this.restore(draft, parts);
      this.complain(`Not sent: ${problem.message}`);
    } finally {
      this.busy = false;
      this.form.removeAttribute("aria-busy");
    }
  }

  // What could not be sent comes back, unless something else was written meanwhile.
  restore(draft, { text, files, quoted }) {
    Object.assign(draft, { files: [...files, ...draft.files], quoted: draft.quoted ?? quoted });
    if (draft !== this.draft) { draft.text ||= text; return; }
    this.input.value ||= text;
    this.quote(draft.quoted);
    this.showFiles();
    this.grow();
  }
}
