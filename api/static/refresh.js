// Fetches the page that is shown and brings what is live on it up to date. The server alone makes markup: it is parsed by
// the browser's own loader, which runs nothing of it.
import { sync } from "./morph.js";
import { tell } from "./times.js";

export function load(url, form = null) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(form === null ? "GET" : "POST", url);
    request.responseType = "document";
    if (form !== null) request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    request.addEventListener("loadend", () => resolve(request));
    request.send(form);
  });
}

let loading = null;

// Whether the page could be fetched. Several wishes while one is under way are one more.
export async function refresh() {
  if (loading) {
    loading.again = true;
    return loading.done;
  }
  const mine = (loading = { again: false });
  mine.done = (async () => {
    do {
      mine.again = false;
      const { status, response, responseURL } = await load(location.href);
      if (responseURL && new URL(responseURL).pathname === "/console/login") location.reload();
      if (status !== 200 || !response) return false;
      show(response);
    } while (mine.again);
    return true;
  })();
  try {
    return await mine.done;
  } finally {
    loading = null;
  }
}

// Puts what another rendering of this page says in the place of what is here. Another kind of page is shown as such.
export function show(page) {
  if (page.body.className !== document.body.className) {
    location.reload();
    return;
  }
  tell(page);
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = page.getElementById(part.id);
    if (now) sync(part, now);
    else part.remove();
  }
  for (const [name, value] of Object.entries(page.querySelector("#talk")?.dataset ?? {})) {
    document.getElementById("talk").dataset[name] = value;
  }
}
