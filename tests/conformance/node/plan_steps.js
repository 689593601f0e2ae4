// What a user of commitment plans does, whatever the client: each gives the same few methods.

"use strict";

const { GROUP, call, known, take, own, ownList, ownRefusal, plain, refusal } = require("./steps");

const VERSION = "2016-05-01-preview";
const SUBSCRIPTION = `/subscriptions/${known.subscription_id}`;
const [FIRST, SECOND] = ["plan-westeurope", "westeurope-too"];

function planId(name) {
  return `${GROUP}/providers/Microsoft.MachineLearning/commitmentPlans/${name}`;
}

/** Both pages of a list, as Studio's own API gives them and as a client does.
 *
 * These clients lose the link to the next page: their runtimes read `nextLink` before `value` and
 * then replace what they have read. The link is therefore taken from Studio's own answer.
 */
async function pages(name, path, scope, first, next) {
  const address = `${scope}/providers/Microsoft.MachineLearning/${path}?api-version=${VERSION}`;
  const { document } = await call("GET", address);
  take(`${name}, the first page`, plain(document.value), [...(await first)]);
  take(`${name} have another page`, "string", typeof document.nextLink);
  const rest = await call("GET", document.nextLink);
  take(`${name}, the next page`, plain(rest.document.value), [...(await next(document.nextLink))]);
}

/** Lists and one plan. */
async function read(client) {
  const group = known.resource_group;
  take("plans of the group", await ownList("commitmentPlans", VERSION), await client.list(group));
  await pages("plans", "commitmentPlans", SUBSCRIPTION, client.listAll(), client.nextOfAll);
  const crowd = `${SUBSCRIPTION}/resourceGroups/${known.crowd_group}`;
  const crowded = client.list(known.crowd_group);
  await pages("plans of a group", "commitmentPlans", crowd, crowded, client.nextOfGroup);
  const one = await own(`commitmentPlans/${FIRST}`, VERSION);
  take("one plan", one, await client.get(group, FIRST));
  take("its usage", [], await client.usage(group, FIRST));
}

/** Create, create once more, patch. */
async function change(client) {
  const group = known.resource_group;
  const wanted = { location: "West Europe", tags: { team: "lines" } };
  const created = await client.put(group, SECOND, wanted);
  take("created", await own(`commitmentPlans/${SECOND}`, VERSION), created);
  const larger = { ...wanted, sku: { name: "S1", tier: "Standard", capacity: 2 } };
  const updated = await client.put(group, SECOND, larger);
  take("updated", await own(`commitmentPlans/${SECOND}`, VERSION), updated);
  const patched = await client.patch(group, SECOND, { tags: { team: "curves" } });
  take("patched", await own(`commitmentPlans/${SECOND}`, VERSION), patched);
  take("its tags", { team: "curves" }, patched.tags);
  take("its capacity", 2, patched.sku.capacity);
}

/** The web services on a plan, and a move to another plan and back. */
async function move(client) {
  const group = known.resource_group;
  const path = `commitmentPlans/${FIRST}/commitmentAssociations`;
  const found = client.associations(group, FIRST);
  await pages("services on a plan", path, GROUP, found, client.nextAssociations);
  const [{ name }] = await found;
  take("one of them", await own(`${path}/${name}`, VERSION), await client.association(group, FIRST, name));
  const moved = await client.move(group, FIRST, name, { destinationPlanId: planId(SECOND) });
  const there = `commitmentPlans/${SECOND}/commitmentAssociations/${name}`;
  take("moved", await own(there, VERSION), moved);
  take("to the other plan", planId(SECOND), moved.properties.commitmentPlanId);
  take("away from the first", 404, (await refusal(client.association(group, FIRST, name))).status);
  const used = await ownRefusal("DELETE", `commitmentPlans/${SECOND}`, VERSION);
  take("a plan in use stays", used, await refusal(client.remove(group, SECOND)));
  await client.move(group, SECOND, name, { destinationPlanId: planId(FIRST) });
  take("moved back", await found, await client.associations(group, FIRST));
}

/** What must fail; the end. */
async function end(client) {
  const group = known.resource_group;
  const missing = await ownRefusal("GET", "commitmentPlans/nobody", VERSION);
  take("no such plan", missing, await refusal(client.get(group, "nobody")));
  const mars = { location: "Mars" };
  const nowhere = await ownRefusal("PUT", "commitmentPlans/mars", VERSION, mars);
  take("no such region", nowhere, await refusal(client.put(group, "mars", mars)));
  take("a wrong token", 401, (await refusal(client.stranger(group))).status);
  await client.remove(group, SECOND);
  take("deleted", 404, (await refusal(client.get(group, SECOND))).status);
  take("deleted for good", "no error", await refusal(client.remove(group, SECOND)));
}

/** Take all steps. */
async function takeAll(client) {
  await read(client);
  await change(client);
  await move(client);
  await end(client);
}

module.exports = { takeAll };
