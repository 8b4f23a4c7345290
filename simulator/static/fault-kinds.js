// The faults that can be armed, and the fields of their forms. simulator/README.md says what each does.
const number = (text) => (text === "" ? null : Number(text));
const words = (text) => text || null;
const yes = (text) => text === "yes";
const seconds = { type: "number", min: 0, step: "any" };

// A field with a dot is inside another: match.to is {"match": {"to": …}}.
export const FIELDS = {
  status: { label: "Status", choices: [429, 500, 502, 503, 504], read: number },
  retry_after: { label: "Retry-After", attributes: { ...seconds, placeholder: "no header" }, read: number },
  seconds: { label: "Seconds", attributes: { ...seconds, value: 5, required: true }, read: number },
  committed: { label: "Done all the same", choices: ["yes", "no"], read: yes },
  same_token: { label: "Same idempotency token", choices: ["yes", "no"], read: yes },
  event: { label: "Event", attributes: { placeholder: "any" }, hint: "message, status, or an event such as onMessageAdded.", read: words },
  outcome: { label: "Ends as", choices: ["undelivered", "failed", "sent"], read: words },
  code: { label: "Error code", attributes: { type: "number", min: 10000, max: 99999, value: 30003, required: true }, read: number },
  route: { label: "Call", attributes: { placeholder: "a message is sent" }, hint: "Such as messages.create or participants.create; * is every call.", read: words },
  times: { label: "Times", attributes: { type: "number", min: 1, placeholder: "1" }, read: number },
  rate: { label: "Share", attributes: { type: "number", min: 0, max: 1, step: "any", placeholder: "all" }, read: number },
  seed: { label: "Seed of the share", attributes: { type: "number", step: 1, placeholder: "0" }, read: number },
  "match.to": { label: "To", attributes: { placeholder: "anybody" }, read: words },
  "match.from": { label: "From", attributes: { placeholder: "anybody" }, read: words },
  "match.body": { label: "Text has", attributes: { placeholder: "anything" }, read: words },
};

// Which of those that fit, and how often.
export const MORE = ["times", "rate", "seed", "match.to", "match.from", "match.body"];

const CALL = "A call of the product";
const HOOK = "A webhook to the product";

// kind -> how it is called, what it does, which fields it has, and their choices where they differ.
export const KINDS = {
  status: { group: CALL, label: "Refuse it", what: "Answered by this status; nothing is done.", fields: ["status", "retry_after", "route"] },
  after_commit: { group: CALL, label: "Do it, answer an error", what: "The message goes out, and its sender is told that it did not.", fields: ["status", "route"], choices: { status: [500, 502, 503, 504] } },
  hang: { group: CALL, label: "Answer late", what: "The message goes out; the answer takes this long.", fields: ["seconds", "committed", "route"] },
  slow: { group: CALL, label: "Let the answer trickle", what: "The message goes out; its answer comes in drops over this time.", fields: ["seconds", "route"] },
  reset: { group: CALL, label: "Cut the connection", what: "The message goes out; the connection is reset before any answer.", fields: ["committed", "route"] },
  delivery: { group: "The way to the phone", label: "Fail at the carrier", what: "The message ends so, with this code.", fields: ["outcome", "code"] },
  webhook_duplicate: { group: HOOK, label: "Send it twice", what: "The whole request comes once more.", fields: ["same_token", "event"] },
  webhook_drop: { group: HOOK, label: "Never send it", what: "The product never hears of it.", fields: ["event"] },
  webhook_signature: { group: HOOK, label: "Sign it wrongly", what: "A product that checks signatures refuses it.", fields: ["event"] },
  webhook_delay: { group: HOOK, label: "Send it late", what: "It waits this long before its first attempt.", fields: ["seconds", "event"] },
  webhook_reorder: { group: HOOK, label: "Send it after the next", what: "Two change places; alone, it comes this much later.", fields: ["seconds", "event"] },
};
