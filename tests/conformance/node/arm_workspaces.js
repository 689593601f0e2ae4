// @azure/arm-workspaces: workspaces, api-version 2019-10-01.

"use strict";

const { MachineLearningWorkspacesManagementClient } = require("@azure/arm-workspaces");
const { GROUP, all, call, known, modern, own, ownList, ownRefusal, refusal, run, take } =
  require("./steps");

const VERSION = "2019-10-01";
const SUBSCRIPTION = `/subscriptions/${known.subscription_id}`;
const NAME = "by-arm-workspaces";
const STORAGE = `${GROUP}/providers/Microsoft.Storage/storageAccounts/own`;

const client = modern(MachineLearningWorkspacesManagementClient);
const { workspaces } = client;

/** The client lifts what is in `properties`. */
function flat({ properties, ...rest }) {
  return { ...rest, ...properties };
}

/** Lists, one workspace, its tokens, the operations. */
async function read(group) {
  const own_list = await ownList("workspaces", VERSION);
  take("workspaces of the group", own_list.map(flat), await all(workspaces.listByResourceGroup(group)));
  const whole = await ownList("workspaces", VERSION, SUBSCRIPTION);
  take("more than a page", true, whole.length > 50);
  take("workspaces of the subscription", whole.map(flat), await all(workspaces.list()));
  const [{ name }] = own_list;
  take("one workspace", flat(await own(`workspaces/${name}`, VERSION)), await workspaces.get(group, name));
  const keys = await workspaces.listWorkspaceKeys(name, group);
  const address = `${GROUP}/providers/Microsoft.MachineLearning/workspaces/${name}/listWorkspaceKeys`;
  take("its tokens", (await call("POST", `${address}?api-version=${VERSION}`)).document, keys);
  const operations = await ownList("operations", VERSION, "");
  take("the operations", operations, await all(client.operations.list()));
}

/** Create, change, delete. */
async function change(group) {
  const wanted = { location: "West Europe", ownerEmail: "owner@example.com", userStorageAccountId: STORAGE };
  const created = await workspaces.createOrUpdate(group, NAME, wanted);
  take("created", flat(await own(`workspaces/${NAME}`, VERSION)), created);
  take("its owner", wanted.ownerEmail, created.ownerEmail);
  const free = { ...wanted, sku: { name: "Free", tier: "Free" }, tags: { team: "lines" } };
  const updated = await workspaces.createOrUpdate(group, NAME, free);
  take("updated", flat(await own(`workspaces/${NAME}`, VERSION)), updated);
  take("the same workspace", created.workspaceId, updated.workspaceId);
  take("a free one", "Free", updated.workspaceType);
  const sent = { tags: { team: "curves" }, workspaceState: "Disabled" };
  const patched = await workspaces.update(group, NAME, sent);
  take("patched", flat(await own(`workspaces/${NAME}`, VERSION)), patched);
  take("its state", "Disabled", patched.workspaceState);
  take("its tags", sent.tags, patched.tags);
  take("its storage keys are read again", "no error", await refusal(workspaces.resyncStorageKeys(NAME, group)));
}

/** What must fail; the end. */
async function end(group) {
  const missing = await ownRefusal("GET", "workspaces/nobody", VERSION);
  take("no such workspace", missing, await refusal(workspaces.get(group, "nobody")));
  const odd = { location: "Mars", ownerEmail: "nobody", userStorageAccountId: STORAGE };
  const { location, ...properties } = odd;
  const wrong = await ownRefusal("PUT", "workspaces/odd", VERSION, { location, properties });
  take("no such region, no address", wrong, await refusal(workspaces.createOrUpdate(group, "odd", odd)));
  const stranger = modern(MachineLearningWorkspacesManagementClient, "wrong").workspaces;
  take("a wrong token", 401, (await refusal(all(stranger.list()))).status);
  await workspaces.delete(group, NAME);
  take("deleted", 404, (await refusal(workspaces.get(group, NAME))).status);
  take("deleted for good", "no error", await refusal(workspaces.delete(group, NAME)));
}

run(async () => {
  const group = known.resource_group;
  await read(group);
  await change(group);
  await end(group);
});
