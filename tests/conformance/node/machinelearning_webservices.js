// azure-arm-machinelearning: its web services client, api-version 2017-01-01.

"use strict";

const { WebServicesManagementClient } = require("azure-arm-machinelearning");
const { known, run } = require("./steps");
const { takeAll } = require("./web_service_steps");

function made(token) {
  const signer = {
    signRequest(request, next) {
      request.headers.Authorization = `Bearer ${token}`;
      next(null);
    },
  };
  const options = { noRetryPolicy: true, longRunningOperationRetryTimeout: 0 };
  const { subscription_id: subscription, base_url: url } = known;
  return new WebServicesManagementClient(signer, subscription, url, options).webServices;
}

const webServices = made(known.arm_token);

async function everywhere(first, next) {
  const items = [];
  for (let page = await first; page; page = page.nextLink && (await next(page.nextLink))) {
    items.push(...page);
  }
  return items;
}

/** This client calls the graph `packageProperty`. */
function shown({ properties, ...rest }) {
  const { package: graph, ...others } = properties;
  return { ...rest, properties: graph ? { ...others, packageProperty: graph } : others };
}

const client = {
  shown,
  written: shown,
  list: (group) =>
    everywhere(webServices.listByResourceGroup(group), (link) =>
      webServices.listByResourceGroupNext(link),
    ),
  listAll: () =>
    everywhere(webServices.listBySubscriptionId(), (link) =>
      webServices.listBySubscriptionIdNext(link),
    ),
  get: (group, name) => webServices.get(group, name),
  keys: (group, name) => webServices.listKeys(group, name),
  put: (group, name, body) => webServices.createOrUpdate(group, name, body),
  patch: (group, name, body) => webServices.patch(group, name, body),
  region: (group, name, region) => webServices.createRegionalProperties(group, name, region),
  remove: (group, name) => webServices.remove(group, name),
  stranger: (group) => made("wrong").listByResourceGroup(group),
};

run(() => takeAll(client, "by-machinelearning"));
