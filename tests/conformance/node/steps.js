// What the steps of every client share: what Studio's own API says, and how a step is noted.
//
// Reads what is known from standard input; `done` prints what each step expected and saw as JSON.

"use strict";

const known = JSON.parse(require("fs").readFileSync(0));
const taken = [];

const GROUP = `/subscriptions/${known.subscription_id}/resourceGroups/${known.resource_group}`;
const PROVIDER = "/providers/Microsoft.MachineLearning";

/** One step was taken. */
function take(name, expected, seen) {
  taken.push({ name, expected, seen: plain(seen) });
}

/** A plain call of Studio's own API; what a client returns is held against its answer. */
async function call(method, address, body) {
  const url = address.startsWith("http") ? address : known.base_url + address;
  const headers = { Authorization: `Bearer ${known.arm_token}`, "Content-Type": "application/json" };
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, document: text ? JSON.parse(text) : null };
}

/** What Studio's own API says of a resource of the group. */
async function own(path, version) {
  const { document } = await call("GET", `${GROUP}${PROVIDER}/${path}?api-version=${version}`);
  return plain(document);
}

/** All items of a list of Studio's own, through all of its pages. */
async function ownList(path, version, scope = GROUP) {
  const items = [];
  let next = `${scope}${PROVIDER}/${path}?api-version=${version}`;
  while (next) {
    const { document } = await call("GET", next);
    items.push(...document.value);
    next = document.nextLink;
  }
  return plain(items);
}

/** Values in one form: what JSON can say, times with milliseconds, names as in JavaScript. */
function plain(value) {
  const text = JSON.stringify(value, (_, item) => (isTime(item) ? milliseconds(item) : item));
  return text === undefined ? null : JSON.parse(text.replaceAll('"x-ms-isnullable"', '"xMsIsnullable"'));
}

function isTime(value) {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);
}

function milliseconds(time) {
  return new Date(time).toISOString();
}

/** The status, code and message with which a client reports a call that must fail. */
async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    const status = error.statusCode ?? error.response?.status ?? null;
    return { status, code: error.code ?? null, message: error.message };
  }
  return "no error";
}

/** What Studio's own API says to a call that must fail, as `refusal` tells it. */
async function ownRefusal(method, path, version, body) {
  const address = `${GROUP}${PROVIDER}/${path}?api-version=${version}`;
  const { status, document } = await call(method, address, body);
  return { status, code: document.error.code, message: document.error.message };
}

/** By how much a service that draws a line multiplies its input. */
async function slope(name) {
  const service = await own(`webServices/${name}`, "2017-01-01");
  const keys = await own(`webServices/${name}/listKeys`, "2017-01-01");
  const url = service.properties.swaggerLocation.replace("/swagger.json", "/execute?api-version=2.0");
  const headers = { Authorization: `Bearer ${keys.primary}` };
  const table = { ColumnNames: ["x"], Values: [["10"]] };
  const body = JSON.stringify({ Inputs: { input1: table }, GlobalParameters: {} });
  const answer = await (await fetch(url, { method: "POST", headers, body })).json();
  return Math.round(Number(answer.Results.output1.value.Values[0].at(-1)) / 10);
}

async function all(pages) {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
}

/** Take the steps of a client, then print them. */
function run(steps) {
  steps().then(
    () => console.log(JSON.stringify(taken)),
    (error) => {
      console.error(error.stack);
      process.exitCode = 1;
    },
  );
}

/** A client of the newer kind; its own policy refuses to send a token without TLS. */
function modern(Client, token = known.arm_token) {
  const nobody = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3.6e6 }) };
  const options = {
    endpoint: known.base_url,
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
  };
  const client = new Client(nobody, known.subscription_id, options);
  client.pipeline.removePolicy({ name: "bearerTokenAuthenticationPolicy" });
  client.pipeline.addPolicy({
    name: "token",
    sendRequest(request, next) {
      request.headers.set("Authorization", `Bearer ${token}`);
      return next(request);
    },
  });
  return client;
}

module.exports = {
  GROUP, known, take, call, own, ownList, plain, refusal, ownRefusal, slope, all, run, modern,
};
