// What a user of web services does, whatever the client: each gives the same few methods.

"use strict";

const { known, take, own, ownList, ownRefusal, refusal, slope } = require("./steps");

const VERSION = "2017-01-01";
const SUBSCRIPTION = `/subscriptions/${known.subscription_id}`;

/** What Studio's own API says of a service, as a client is known to show it. */
async function shown(client, name) {
  return client.shown(await own(`webServices/${name}`, VERSION));
}

/** Lists, one service, its keys. */
async function read(client) {
  const group = known.resource_group;
  const grouped = await ownList("webServices", VERSION);
  take("services of the group", grouped.map(client.shown), await client.list(group));
  const whole = await ownList("webServices", VERSION, SUBSCRIPTION);
  take("more than a page", true, whole.length > 50);
  take("services of the subscription", whole.map(client.shown), await client.listAll());
  for (const name of ["cancer-training", "diabetes-scoring"]) {
    take(`the definition of ${name}`, await shown(client, name), await client.get(group, name));
    const keys = await own(`webServices/${name}/listKeys`, VERSION);
    take(`the keys of ${name}`, keys, await client.keys(group, name));
  }
}

/** Create, change by PUT and by PATCH, each time as polling reports it and as Studio has it. */
async function change(client, name) {
  const group = known.resource_group;
  const created = await client.put(group, name, client.written(known.definitions.first));
  take("created", await shown(client, name), created);
  take("it is ready", "Succeeded", created.properties.provisioningState);
  take("it scores", 1, await slope(name));

  const exported = await client.get(group, name);
  const [asset] = Object.keys(exported.properties.assets).filter(
    (id) => exported.properties.assets[id].type === "Resource",
  );
  const { assets } = known.definitions.second.properties;
  exported.properties.assets[asset].locationInfo = assets[asset].locationInfo;
  const updated = await client.put(group, name, exported);
  take("sent back with another model", await shown(client, name), updated);
  take("it scores with that", 2, await slope(name));

  const text = { packageType: "Graph", title: "Another title", description: "and text" };
  const titled = await client.patch(group, name, { location: "West Europe", properties: text });
  take("patched", await shown(client, name), titled);
  take("its title", "Another title", titled.properties.title);
  const third = { [asset]: known.definitions.third.properties.assets[asset] };
  const retrained = { location: "West Europe", properties: { packageType: "Graph", assets: third } };
  await client.patch(group, name, retrained);
  take("a patched model scores", 3, await slope(name));
  const region = await client.region(group, name, "westeurope");
  take("a region was prepared", "Succeeded", region.provisioningState);
}

/** What must fail, and how it is reported; a failed update leaves what was there. */
async function refused(client, name) {
  const group = known.resource_group;
  const missing = await ownRefusal("GET", "webServices/nobody", VERSION);
  take("no such service", missing, await refusal(client.get(group, "nobody")));
  const { unplanned } = known.definitions;
  const expected = await ownRefusal("PUT", "webServices/never", VERSION, unplanned);
  take("no such plan", expected, await refusal(client.put(group, "never", client.written(unplanned))));
  const failure = await refusal(client.put(group, name, client.written(known.definitions.lost)));
  take("the model is lost", true, failure.message.includes("The model was not fetched"));
  take("the old one scores on", 3, await slope(name));
  take("a wrong token", 401, (await refusal(client.stranger(group))).status);
}

/** Delete, and once more. */
async function remove(client, name) {
  const group = known.resource_group;
  await client.remove(group, name);
  take("deleted", 404, (await refusal(client.get(group, name))).status);
  await client.remove(group, name);
  take("deleted for good", 404, (await refusal(client.get(group, name))).status);
}

/** Take all steps with a service of this name. */
async function takeAll(client, name) {
  await read(client);
  await change(client, name);
  await refused(client, name);
  await remove(client, name);
}

module.exports = { takeAll };
