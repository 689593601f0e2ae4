// azure-arm-machinelearning: its commitment plans client, api-version 2016-05-01-preview.

"use strict";

const { CommitmentPlansManagementClient } = require("azure-arm-machinelearning");
const { known, run } = require("./steps");
const { takeAll } = require("./plan_steps");

function made(token) {
  const signer = {
    signRequest(request, next) {
      request.headers.Authorization = `Bearer ${token}`;
      next(null);
    },
  };
  const { subscription_id: subscription, base_url: url } = known;
  return new CommitmentPlansManagementClient(signer, subscription, url, { noRetryPolicy: true });
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

run(() => takeAll(client));
