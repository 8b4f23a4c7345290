// Forms are sent without leaving the page; what they are answered with is the page as it is afterwards.
import { load, show } from "./refresh.js";

async function send(form, button) {
  const said = new URLSearchParams(new FormData(form, button));
  const target = button?.hasAttribute("formaction") ? button.formAction : form.action;
  form.setAttribute("aria-busy", "true");
  const { status, response } = await load(target, said.toString());
  form.removeAttribute("aria-busy");
  const trouble = document.getElementById("trouble");
  const done = status === 200;
  if (response?.getElementById("talk")) {
    show(response);
    trouble.textContent = response.getElementById("trouble").textContent;
  } else {
    const why = response?.querySelector("#main h1")?.textContent ?? "It could not be sent";
    trouble.textContent = `${why}. ${response?.querySelector("#main h1 + p")?.textContent ?? "Is the network there?"}`;
  }
  trouble.hidden = trouble.textContent === "";
  if (!done) return;
  for (const details of document.querySelectorAll("details.more[open]")) details.open = false;
  if (form.id === "write") {
    form.elements.text.value = "";
    form.elements.text.focus();
  }
  // The next message is another one.
  const key = response?.getElementById("key"), kept = document.getElementById("key");
  if (key && kept) kept.value = key.value;
}

export function hearForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-act")) return;
    event.preventDefault();
    if (form.getAttribute("aria-busy") !== "true") send(form, event.submitter);
  });
  document.addEventListener("keydown", (event) => {
    const box = event.target;
    if (box.tagName !== "TEXTAREA" || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    const button = box.form.querySelector(".send:not(:disabled)") ?? box.form.querySelector("button:not(:disabled)");
    box.form.requestSubmit(button);
  });
}
