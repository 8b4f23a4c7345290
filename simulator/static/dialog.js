// Questions in front of the page. Escape and Cancel answer null.
export function ask(id, { fill, check = () => "" } = {}) {
  const dialog = document.getElementById(id);
  const form = dialog.querySelector("form");
  const trouble = form.querySelector(".trouble");
  return new Promise((resolve) => {
    const ending = new AbortController();
    const end = (value) => { ending.abort(); if (dialog.open) dialog.close(); resolve(value); };
    const listen = (node, name, listener) => node.addEventListener(name, listener, { signal: ending.signal });
    form.reset();
    if (trouble) trouble.hidden = true;
    fill?.(form);
    listen(form, "submit", (event) => {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(form));
      const problem = check(values);
      if (!problem) { end(values); return; }
      trouble.textContent = problem;
      trouble.hidden = false;
    });
    listen(dialog, "close", () => end(null));
    // Outside of its form, which fills it, is the backdrop.
    listen(dialog, "click", ({ target }) => { if (target === dialog) end(null); });
    for (const button of form.querySelectorAll("[data-close]")) listen(button, "click", () => end(null));
    dialog.showModal();
  });
}
