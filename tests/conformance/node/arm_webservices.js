// @azure/arm-webservices: web services, api-version 2017-01-01.

"use strict";

const { AzureMLWebServicesManagementClient } = require("@azure/arm-webservices");
const { all, modern, run } = require("./steps");
const { takeAll } = require("./web_service_steps");

const { webServices } = modern(AzureMLWebServicesManagementClient);
const stranger = modern(AzureMLWebServicesManagementClient, "wrong").webServices;
const OFTEN = { updateIntervalInMs: 10 };

/** This client takes the value of a parameter for a map and reads text as one of characters. */
function shown(document) {
  const text = JSON.stringify(document, (name, item) =>
    name === "value" && typeof item === "string" ? { ...item } : item,
  );
  return JSON.parse(text);
}

const client = {
  shown,
  written: (document) => document,
  list: (group) => all(webServices.listByResourceGroup(group)),
  listAll: () => all(webServices.listBySubscriptionId()),
  get: (group, name) => webServices.get(group, name),
  keys: (group, name) => webServices.listKeys(group, name),
  put: (group, name, body) => webServices.beginCreateOrUpdateAndWait(group, name, body, OFTEN),
  patch: (group, name, body) => webServices.beginPatchAndWait(group, name, body, OFTEN),
  region: (group, name, region) =>
    webServices.beginCreateRegionalPropertiesAndWait(group, name, region, OFTEN),
  remove: (group, name) => webServices.beginRemoveAndWait(group, name, OFTEN),
  stranger: (group) => all(stranger.listByResourceGroup(group)),
};

run(() => takeAll(client, "by-arm-webservices"));
