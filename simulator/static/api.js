// The simulator's control API. Every trouble becomes an Error whose message can be shown.
async function call(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(`/_sim/${path}`, { method, body, headers });
  } catch {
    throw new Error("The simulator does not answer.");
  }
  const text = await answer.text();
  let value = null;
  try { value = text ? JSON.parse(text) : null; } catch { /* not JSON: the status says enough */ }
  if (!answer.ok) throw new Error(value?.error ?? `HTTP ${answer.status}`);
  return value;
}

export const get = (path) => call("GET", path);
export const post = (path, value) =>
  call("POST", path, JSON.stringify(value), { "Content-Type": "application/json" });
export const remove = (path) => call("DELETE", path);

// Keeps a file with the simulator; returns it as a message carries it: {url, content_type}.
export async function upload(file) {
  const headers = { "Content-Type": file.type || "application/octet-stream" };
  const { url, content_type } = await call("POST", `media?filename=${encodeURIComponent(file.name)}`, file, headers);
  return { url, content_type };
}
