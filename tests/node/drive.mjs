// The genuine SDK for Node drives every resource of a simulator, and writes one JSON line for each:
// {"resource", "calls", "failures": []}. Usage: node drive.mjs BASE_URL ACCOUNT_SID AUTH_TOKEN
import twilio from "twilio";
import RequestClient from "twilio/lib/base/RequestClient.js";

const [base, account, token] = process.argv.slice(2);
const OURS = "+15550100000", THEIRS = "+15557654321", PAGE = 2;
const nobody = (prefix) => prefix + "f".repeat(32);

class ToSimulator extends RequestClient {
  calls = 0;
  request(options) {
    this.calls += 1;
    const url = new URL(options.uri);
    const headers = { ...options.headers, "X-Sim-Original-Host": url.hostname };
    return super.request({ ...options, uri: base + url.pathname + url.search, headers });
  }
}

const http = new ToSimulator({ timeout: 10000 });
const client = twilio(account, token, { httpClient: http });
const stranger = twilio(account, "wrong", { httpClient: http });
const sim = async (method, path, body) =>
  (await fetch(`${base}/_sim/${path}`, { method, body: body && JSON.stringify(body) })).text();
const text = async (fields) => JSON.parse(await sim("POST", "inbound", { from: THEIRS, body: "x", ...fields }));

async function eventually(look) {
  for (const end = Date.now() + 10000; Date.now() < end; ) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("it did not happen");
}

const made = new Map();
async function once(name, make) {
  if (!made.has(name)) made.set(name, await make());
  return made.get(name);
}

const twice = async (call) => { await call(); await call(); };
// This SDK sends the object as it is, so the names are those of the wire.
const template = (n) => client.content.v1.contents.create({
  friendly_name: String(n), language: "en", types: { "twilio/text": { body: `${n} {{1}}` } },
});
const sent = () => once("sent", () => client.messages.create({
  to: THEIRS, from: OURS, body: "x", mediaUrl: [0, 1, 2].map((n) => `https://example.com/${n}.png`),
}));
const pool = () => once("pool", () => client.messaging.v1.services.create({ friendlyName: "pool" }));
const named = () => once("named", async () => (await client.conversations.v1.services.create({ friendlyName: "named" })).sid);
const aTemplate = async () => client.content.v1.contents((await once("template", () => template(0))).sid);
const approve = async (name) => (await aTemplate()).approvalCreate.create({ name, category: "UTILITY" });
const typing = (request) => client.messaging.v3.typingIndicator.create(request);

// What is there for the default service and for a named one alike. `root(client)` is either.
function inService(form, root) {
  const talkSid = () => once(`talk ${form}`, async () => {
    const { sid } = await (await root(client)).conversations.create({});
    const { participants } = (await root(client)).conversations(sid);
    const address = form === "default" ? THEIRS : "+15557650099";
    await participants.create({ "messagingBinding.address": address, "messagingBinding.proxyAddress": OURS });
    await participants.create({ identity: "agent" });
    return sid;
  });
  const talk = async (c = client) => (await root(c)).conversations(await talkSid());
  const of = async (name) => (await root(client))[name];
  const membership = async (n) => {
    const conversation = await (await of("conversations")).create({ friendlyName: String(n) });
    await (await root(client)).conversations(conversation.sid).participants.create({ identity: "member" });
    return (await root(client)).users("member").userConversations(conversation.sid).fetch();
  };
  const together = async (fields) => (await of("conversationWithParticipants")).create(fields);
  const resources = {
    Conversations: {
      make: async (n) => (await of("conversations")).create({ friendlyName: String(n), uniqueName: `${form}-${n}` }),
      rows: () => of("conversations"), change: { friendlyName: "changed" },
      lost: async (c) => (await root(c)).conversations(nobody("CH")).fetch(),
      bad: async () => (await of("conversations")).create({ state: "closed" }),
      twice: async () => (await of("conversations")).create({ uniqueName: "twice" }),
    },
    ConversationWithParticipants: {
      one: () => together({ participant: ['{"identity": "one"}'] }),
      bad: () => together({ participant: ["{"] }), twice: () => together({ uniqueName: "both" }),
    },
    Participants: {
      make: async (n) => (await talk()).participants.create({ identity: `user ${n}` }),
      rows: async () => (await talk()).participants, change: { attributes: '{"a":1}' },
      lost: async (c) => (await talk(c)).participants(nobody("MB")).fetch(),
      bad: async () => (await talk()).participants.create({ "messagingBinding.address": THEIRS }),
      twice: async () => (await talk()).participants.create({ identity: "twin" }),
    },
    Messages: {
      make: async (n) => (await talk()).messages.create({ author: "agent", body: String(n) }),
      rows: async () => (await talk()).messages, change: { body: "changed" },
      lost: async (c) => (await talk(c)).messages(nobody("IM")).fetch(),
      bad: async () => (await talk()).messages.create({ author: "agent" }),
    },
    Receipts: {
      make: async () => {
        const said = await (await talk()).messages.create({ author: "agent", body: "x" });
        const receipts = (await talk()).messages(said.sid).deliveryReceipts;
        await eventually(async () => (await receipts.list()).length);
        return (await receipts.list())[0];
      },
      at: async (row) => (await talk()).messages(row.messageSid).deliveryReceipts(row.sid), kept: true,
      lost: async (c) => (await talk(c)).messages(nobody("IM")).deliveryReceipts(nobody("DY")).fetch(),
    },
    "Conversation Webhooks": {
      make: async (n) => (await talk()).webhooks.create({
        target: "webhook", "configuration.url": `http://127.0.0.1:9/${n}`, "configuration.filters": ["onMessageAdded"],
      }),
      rows: async () => (await talk()).webhooks, update: { "configuration.url": "http://127.0.0.1:9/changed" },
      lost: async (c) => (await talk(c)).webhooks(nobody("WH")).fetch(),
      bad: async () => (await talk()).webhooks.create({ target: "webhook" }),
    },
    Users: {
      make: async (n) => (await of("users")).create({ identity: `${form} ${n}` }), rows: () => of("users"),
      change: { friendlyName: "changed" }, lost: async (c) => (await root(c)).users(nobody("US")).fetch(),
      bad: async () => (await of("users")).create({ identity: "US" + "0".repeat(32) }),
      twice: async () => (await of("users")).create({ identity: "twin user" }),
    },
    "User Conversations": {
      make: membership, rows: async () => (await root(client)).users("member").userConversations,
      change: { notificationLevel: "muted" },
      lost: async (c) => (await root(c)).users(nobody("US")).userConversations(nobody("CH")).fetch(),
      bad: async () => (await membership(99)).update({ notificationLevel: "loud" }),
    },
    Roles: {
      make: async (n) => (await of("roles")).create({ friendlyName: String(n), type: "service", permission: ["a"] }),
      rows: () => of("roles"), update: { permission: ["b"] },
      lost: async (c) => (await root(c)).roles(nobody("RL")).fetch(),
      bad: async () => (await of("roles")).create({ friendlyName: "x", type: "king", permission: ["a"] }),
    },
    ParticipantConversations: {
      one: async () => { await talk(); return (await of("participantConversations")).list({ identity: "agent" }); },
    },
  };
  return Object.fromEntries(Object.entries(resources).map(([name, value]) => [`${name} (${form})`, value]));
}

const inNamed = async () => client.conversations.v1.services(await named());
const RESOURCES = {
  Account: {
    one: async () => [await client.api.v2010.accounts(account).fetch(), await client.api.v2010.accounts.list()], lost: (c) => c.api.v2010.accounts(nobody("AC")).fetch(),
  },
  Messages: {
    make: async (n) => {
      const message = await client.messages.create({ to: THEIRS, from: OURS, body: String(n) });
      await eventually(async () => (await client.messages(message.sid).fetch()).status === "delivered");
      return message;
    },
    rows: () => client.messages, update: { body: "" }, lost: (c) => c.messages(nobody("SM")).fetch(),
    bad: () => client.messages.create({ to: THEIRS, from: OURS }),
    twice: async () => {
      const message = await client.messages.create({ to: "+15557650055", from: OURS, body: "x" });
      await client.messages(message.sid).remove();
    },
  },
  "Message Media": {
    make: async (n) => (await client.messages((await sent()).sid).media.list())[0 * n],
    rows: async () => client.messages((await sent()).sid).media, single: true,
    lost: async (c) => c.messages((await sent()).sid).media(nobody("ME")).fetch(),
  },
  "Message Feedback": {
    one: async () => client.messages((await sent()).sid).feedback.create({ outcome: "confirmed" }),
    lost: (c) => c.messages(nobody("SM")).feedback.create({ outcome: "confirmed" }),
    bad: async () => client.messages((await sent()).sid).feedback.create({ outcome: "perhaps" }),
  },
  IncomingPhoneNumbers: {
    make: (n) => client.incomingPhoneNumbers.create({ phoneNumber: `+1555020000${n}` }),
    rows: () => client.incomingPhoneNumbers, change: { smsUrl: "http://127.0.0.1:9/sms" },
    lost: (c) => c.incomingPhoneNumbers(nobody("PN")).fetch(),
    bad: () => client.incomingPhoneNumbers.create({ phoneNumber: OURS }),
  },
  "IncomingPhoneNumbers by kind": {
    one: async () => {
      for (const [n, kind] of ["local", "mobile", "tollFree"].entries()) {
        const { sid } = await client.incomingPhoneNumbers[kind].create({ phoneNumber: `+1555060000${n}` });
        if (!(await client.incomingPhoneNumbers[kind].list()).some((row) => row.sid === sid)) throw new Error(kind);
      }
    },
    bad: () => client.incomingPhoneNumbers.local.create({ phoneNumber: OURS }),
  },
  "Messaging Services": {
    make: (n) => client.messaging.v1.services.create({ friendlyName: String(n) }),
    rows: () => client.messaging.v1.services, change: { friendlyName: "changed" },
    lost: (c) => c.messaging.v1.services(nobody("MG")).fetch(),
    bad: () => client.messaging.v1.services.create({ friendlyName: "x", validityPeriod: 99999 }),
  },
  "Messaging Service PhoneNumbers": {
    make: async (n) => client.messaging.v1.services((await pool()).sid).phoneNumbers.create({
      phoneNumberSid: (await client.incomingPhoneNumbers.create({ phoneNumber: `+1555030000${n}` })).sid,
    }),
    rows: async () => client.messaging.v1.services((await pool()).sid).phoneNumbers,
    lost: (c) => c.messaging.v1.services(nobody("MG")).phoneNumbers(nobody("PN")).fetch(),
    twice: async () => client.messaging.v1.services((await pool()).sid).phoneNumbers.create({
      phoneNumberSid: (await client.incomingPhoneNumbers.list())[0].sid,
    }),
  },
  "Messaging Service ChannelSenders": {
    make: async () => client.messaging.v1.services((await pool()).sid).channelSenders.create({
      sid: (await client.messaging.v1.services("MG" + account.slice(2)).channelSenders.list())[0].sid,
    }),
    rows: async () => client.messaging.v1.services((await pool()).sid).channelSenders, single: true,
    lost: (c) => c.messaging.v1.services(nobody("MG")).channelSenders(nobody("XE")).fetch(),
  },
  Content: {
    make: template, rows: () => client.content.v1.contents, lost: (c) => c.content.v1.contents(nobody("HX")).fetch(),
    bad: () => client.content.v1.contents.create({ language: "en" }),
  },
  ContentAndApprovals: {
    one: async () => [await aTemplate(), await client.content.v1.contentAndApprovals.list({ pageSize: PAGE }),
      await client.content.v2.contentAndApprovals.list(), await client.content.v2.contents.list()],
  },
  "Content ApprovalRequests": {
    one: async () => [await approve("order"), await (await aTemplate()).approvalFetch().fetch()],
    lost: (c) => c.content.v1.contents(nobody("HX")).approvalFetch().fetch(), bad: () => approve("Not A Name"),
    twice: () => approve("order"),
  },
  "Typing v2": {
    one: async () => client.messaging.v2.typingIndicator.create({
      channel: "whatsapp", messageId: (await text({ channel: "whatsapp" })).sid,
    }),
    lost: (c) => c.messaging.v2.typingIndicator.create({ channel: "whatsapp", messageId: nobody("SM") }),
    bad: () => client.messaging.v2.typingIndicator.create({ channel: "sms", messageId: nobody("SM") }),
  },
  "Typing v3": {
    one: async () => typing({ channel: "WHATSAPP", messageId: (await text({ channel: "whatsapp" })).sid }),
    lost: (c) => c.messaging.v3.typingIndicator.create({ channel: "WHATSAPP", messageId: nobody("SM") }),
    bad: () => typing({ channel: "FAX" }),
  },
  Services: {
    make: (n) => client.conversations.v1.services.create({ friendlyName: String(n) }),
    rows: () => client.conversations.v1.services, lost: (c) => c.conversations.v1.services(nobody("IS")).fetch(),
    bad: () => client.conversations.v1.services.create({ friendlyName: "x".repeat(257) }),
  },
  "Service Configuration": {
    one: async () => [await (await inNamed()).configuration().fetch(),
      await (await inNamed()).configuration().update({ reachabilityEnabled: true })],
    lost: (c) => c.conversations.v1.services(nobody("IS")).configuration().fetch(),
  },
  "Service Notifications": {
    one: async () => [await (await inNamed()).configuration.notifications().fetch(),
      await (await inNamed()).configuration.notifications().update({ logEnabled: true })],
    lost: (c) => c.conversations.v1.services(nobody("IS")).configuration.notifications().fetch(),
  },
  "Service Webhooks": {
    one: async () => [await (await inNamed()).configuration.webhooks().fetch(),
      await (await inNamed()).configuration.webhooks().update({ postWebhookUrl: "http://127.0.0.1:9/" })],
    lost: (c) => c.conversations.v1.services(nobody("IS")).configuration.webhooks().fetch(),
    bad: async () => (await inNamed()).configuration.webhooks().update({ method: "PUT" }),
  },
  "Service Bindings": {
    one: async () => (await inNamed()).bindings.list(),
    lost: async (c) => c.conversations.v1.services(await named()).bindings(nobody("BS")).fetch(),
  },
  Configuration: {
    one: async () => [await client.conversations.v1.configuration().fetch(),
      await client.conversations.v1.configuration().update({ defaultClosedTimer: "PT1H" })],
    lost: (c) => c.conversations.v1.configuration().update({ defaultChatServiceSid: nobody("IS") }),
    bad: () => client.conversations.v1.configuration().update({ defaultClosedTimer: "PT1S" }),
  },
  "Configuration Webhooks": {
    one: async () => [await client.conversations.v1.configuration.webhooks().fetch(),
      await client.conversations.v1.configuration.webhooks().update({ filters: ["onMessageAdded"] })],
    bad: () => client.conversations.v1.configuration.webhooks().update({ method: "PUT" }),
  },
  "Configuration Addresses": {
    make: (n) => client.conversations.v1.addressConfigurations.create({ type: "sms", address: `+1555040000${n}` }),
    rows: () => client.conversations.v1.addressConfigurations, change: { friendlyName: "changed" },
    lost: (c) => c.conversations.v1.addressConfigurations(nobody("IG")).fetch(),
    bad: () => client.conversations.v1.addressConfigurations.create({ type: "fax", address: OURS }),
    twice: () => client.conversations.v1.addressConfigurations.create({ type: "sms", address: OURS }),
  },
  Credentials: {
    make: (n) => client.conversations.v1.credentials.create({ type: "fcm", friendlyName: String(n) }),
    rows: () => client.conversations.v1.credentials, change: { friendlyName: "changed" },
    lost: (c) => c.conversations.v1.credentials(nobody("CR")).fetch(),
    bad: () => client.conversations.v1.credentials.create({ type: "pigeon" }),
  },
  ...inService("default", async (c) => c.conversations.v1),
  ...inService("in a service", async (c) => c.conversations.v1.services(await named())),
};

async function refused(failures, what, call, status, code) {
  let error;
  try { await call(); } catch (problem) { error = problem; }
  if (!error || error.status !== status || (code !== undefined && error.code !== code)) {
    failures.push(`${what}: ${error ? `${error.status} ${error.code} ${error.message}` : "nothing"} instead of ${status}`);
  }
}

const key = (row) => row.sid ?? row.conversationSid;

async function lives(resource, failures) {
  // An instance that `create` gave does not know its own sid in this SDK: it is reached through its list.
  const list = resource.rows && (await resource.rows());
  const at = resource.at ?? (async (row) => list(key(row)));
  const instances = [];
  for (let n = 0; n < (resource.single ? 1 : 3); n += 1) instances.push(await resource.make(n));
  if (list) {
    const found = (await list.list({ pageSize: PAGE })).map(key);
    for (const row of instances) if (!found.includes(key(row))) failures.push(`not in the list: ${key(row)}`);
    const seen = [];
    for (let page = await list.page({ pageSize: PAGE }); page; page = await page.nextPage()) seen.push(...page.instances.map(key));
    if (seen.join() !== found.join()) failures.push(`pages have ${seen}, the list ${found}`);
  }
  for (const row of instances) {
    if (key(await (await at(row)).fetch()) !== key(row)) failures.push(`fetched another than ${key(row)}`);
    const wanted = resource.change ?? resource.update;
    if (wanted) {
      const changed = await (await at(row)).update(wanted);
      for (const [field, value] of Object.entries(resource.change ?? {}))
        if (changed[field] !== value) failures.push(`${field} is ${changed[field]}`);
    }
    if (resource.kept) continue;
    if (!(await (await at(row)).remove())) failures.push("not removed");
    await refused(failures, "removed", async () => (await at(row)).fetch(), 404, 20404);
  }
}

const FAULTS = [[429, 20429, "json"], [500, 20500, "json"], [503, 20503, "json"], [503, undefined, "html"], [500, 20500, "problem"]];

for (const [name, resource] of Object.entries(RESOURCES)) {
  await sim("POST", "reset");
  made.clear();
  http.calls = 0;
  const failures = [];
  try {
    if (resource.one) await resource.one();
    if (resource.make) await lives(resource, failures);
    if (resource.lost) await refused(failures, "lost", () => resource.lost(client), 404);
    if (resource.bad) await refused(failures, "bad", resource.bad, 400);
    if (resource.twice) await refused(failures, "twice", () => twice(resource.twice), 409);
    const any = resource.lost ?? resource.bad;
    for (const [status, code, format] of any ? FAULTS : []) {
      await sim("POST", "faults", { kind: "status", status, format, route: "*", rate: 1.0 });
      await refused(failures, format, () => any(client), status, code);
      await sim("DELETE", "faults");
    }
    if (resource.lost?.length) await refused(failures, "a stranger", () => resource.lost(stranger), 401, 20003);
  } catch (problem) {
    failures.push(`${problem.status} ${problem.code} ${problem.message}`);
  }
  console.log(JSON.stringify({ resource: name, calls: http.calls, failures }));
}
