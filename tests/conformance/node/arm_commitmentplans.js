// @azure/arm-commitmentplans: commitment plans, api-version 2016-05-01-preview.

"use strict";

const { AzureMLCommitmentPlansManagementClient } = require("@azure/arm-commitmentplans");
const { GROUP, known, ownList, run, take } = require("./steps");
const { takeAll } = require("./plan_steps");

function made(token) {
  const signer = {
    async signRequest(request) {
      request.headers.set("Authorization", `Bearer ${token}`);
      return request;
    },
  };
  const options = { baseUri: known.base_url, noRetryPolicy: true };
  return new AzureMLCommitmentPlansManagementClient(signer, known.subscription_id, options);
}

const service = made(known.arm_token);
const { commitmentPlans: plans, commitmentAssociations: associations } = service;

const client = {
  list: (group) => plans.listInResourceGroup(group),
  nextOfGroup: (link) => plans.listInResourceGroupNext(link),
  listAll: () => plans.list(),
  nextOfAll: (link) => plans.listNext(link),
  get: (group, name) => plans.get(group, name),
  put: (group, name, body) => plans.createOrUpdate(body, group, name),
  patch: (group, name, body) => plans.patch(body, group, name),
  remove: (group, name) => plans.remove(group, name),
  usage: (group, name) => service.usageHistory.list(group, name),
  associations: (group, name) => associations.list(group, name),
  nextAssociations: (link) => associations.listNext(link),
  association: (group, name, one) => associations.get(group, name, one),
  move: (group, name, one, body) => associations.move(group, name, one, body),
  stranger: (group) => made("wrong").commitmentPlans.listInResourceGroup(group),
};

run(async () => {
  await takeAll(client);
  const scope = GROUP.split("/resourceGroups")[0];
  const skus = await ownList("skus", "2016-05-01-preview", scope);
  take("what can be bought", skus, [...(await service.skus.list())]);
});
