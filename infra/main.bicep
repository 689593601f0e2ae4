// The whole deployment but for the event subscriptions: those need the code in place (events.bicep).
// Nothing here holds a key: every connection is made with the app's one user-assigned identity.
targetScope = 'subscription'

@description('Name of the azd environment: names the resource group, and is part of every name.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything.')
@minLength(1)
param location string

@description('Python of the app. 3.13 has its worker library on PyPI, so our tests run the app under it.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.13'

@description('Memory of one instance. 2048 has one core: enough for 32 steps, which mostly wait.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances of the app. Each works on up to 32 managed models at once.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances kept warm: [{name: "http", instanceCount: 1}], also "blob" or "function:on_step".')
param alwaysReady array = []

@description('Days until the files of jobs are deleted.')
@minValue(7)
param keepJobsDays int = 30

@description('Days that deleted or overwritten blobs can be brought back.')
@minValue(1)
@maxValue(365)
param keepDeletedDays int = 14

@description('How many copies of the data are kept, and where.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param dataRedundancy string = 'Standard_LRS'

@description('Deleted secrets cannot be destroyed for a week. For production; it cannot be taken back.')
param purgeProtection bool = false

@description('Mail address that alerts go to. Empty: alerts are only shown in the portal.')
param alertEmail string = ''

@description('SHA-256 in hex of the API key of each role. Empty: no key has this role.')
param readerKeyDigest string = ''
param operatorKeyDigest string = ''
param approverKeyDigest string = ''

@description('Who has which role when signed in: app roles, group ids or object ids, comma separated.')
param readers string = ''
param operators string = ''
param approvers string = ''

@description('Client id of the Entra app registration that people sign in with. Empty: no sign-in.')
param signInClientId string = ''

@description('Entra group of those who operate: they may set secrets, upload, and send requests.')
param operatorsGroupId string = ''

@description('Queues that answers to requests may be sent to, comma separated.')
param replyQueues string = 'alm-answers'

@description('Queue that gets every state change as a CloudEvent. Empty: none.')
param eventsQueue string = ''

@description('Name of the secret with the URL that gets every state change. Empty: none.')
param eventsWebhook string = ''

@description('Hosts that the app may call beyond Studio and Resource Manager, comma separated.')
param allowedHosts string = ''

@description('Storage hosts that results of jobs may be fetched from, comma separated.')
param storageHosts string = ''

@description('URL of the Git repository that is written to. Empty: none.')
param gitUrl string = ''

@description('Branch that is written to.')
param gitBranch string = 'main'

@description('Name of the secret with the token for the Git repository (keyvault:vault/name).')
param gitToken string = ''

@description('Where OpenTelemetry goes beside Application Insights. Empty: nowhere else.')
param otlpEndpoint string = ''

@description('Resource group with Resource Manager ("new") web services of Studio. Empty: none.')
param studioResourceGroup string = ''

@description('More settings of the app, by name. Never a secret: name those in declarations.')
param moreSettings object = {}

var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var names = {
  app: 'alm-app-${suffix}'
  plan: 'alm-plan-${suffix}'
  identity: 'alm-id-${suffix}'
  data: 'almdata${suffix}'
  host: 'almhost${suffix}'
  bus: 'alm-bus-${suffix}'
  vault: 'alm-kv-${suffix}'
  topic: 'alm-events-${suffix}'
  workspace: 'alm-log-${suffix}'
  insights: 'alm-ai-${suffix}'
}

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: names.identity
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    dataName: names.data
    hostName: names.host
    topicName: names.topic
    location: location
    tags: tags
    keepJobsDays: keepJobsDays
    keepDeletedDays: keepDeletedDays
    redundancy: dataRedundancy
  }
}

module bus 'modules/servicebus.bicep' = {
  name: 'servicebus'
  scope: group
  params: {
    name: names.bus
    location: location
    tags: tags
  }
}

module vault 'modules/keyvault.bicep' = {
  name: 'keyvault'
  scope: group
  params: {
    name: names.vault
    location: location
    tags: tags
    purgeProtection: purgeProtection
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: names.workspace
    insightsName: names.insights
    location: location
    tags: tags
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    dataName: storage.outputs.dataName
    hostName: storage.outputs.hostName
    topicPrincipalId: storage.outputs.topicPrincipalId
    busName: bus.outputs.name
    vaultName: vault.outputs.name
    insightsName: monitoring.outputs.insightsName
    operatorsGroupId: operatorsGroupId
  }
}

module studio 'modules/studio.bicep' = if (!empty(studioResourceGroup)) {
  name: 'studio'
  scope: resourceGroup(empty(studioResourceGroup) ? group.name : studioResourceGroup)
  params: {
    principalId: identity.outputs.principalId
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: union(tags, { 'azd-service-name': 'app' })
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    hostName: storage.outputs.hostName
    dataName: storage.outputs.dataName
    busName: bus.outputs.name
    insightsName: monitoring.outputs.insightsName
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    signInClientId: signInClientId
    apiKeys: union(
      empty(readerKeyDigest) ? {} : { reader: readerKeyDigest },
      empty(operatorKeyDigest) ? {} : { operator: operatorKeyDigest },
      empty(approverKeyDigest) ? {} : { approver: approverKeyDigest }
    )
    roleMembers: union(
      empty(readers) ? {} : { reader: split(readers, ',') },
      empty(operators) ? {} : { operator: split(operators, ',') },
      empty(approvers) ? {} : { approver: split(approvers, ',') }
    )
    git: empty(gitUrl) ? {} : union({ url: gitUrl, branch: gitBranch }, empty(gitToken) ? {} : { token: gitToken })
    replyQueues: replyQueues
    eventsQueue: eventsQueue
    eventsWebhook: eventsWebhook
    allowedHosts: allowedHosts
    storageHosts: storageHosts
    otlpEndpoint: otlpEndpoint
    moreSettings: moreSettings
  }
  dependsOn: [
    roles // the app reads its package and its settings with the identity as soon as it starts
  ]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    insightsName: monitoring.outputs.insightsName
    location: location
    tags: tags
    email: alertEmail
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    insightsName: monitoring.outputs.insightsName
    location: location
    tags: tags
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output ALM_APP_NAME string = app.outputs.name
output ALM_APP_URL string = app.outputs.url
output ALM_API_URL string = '${app.outputs.url}/api'
output ALM_DATA_ACCOUNT string = storage.outputs.dataName
output ALM_EVENT_TOPIC string = storage.outputs.topicName
output ALM_BUS_NAMESPACE string = bus.outputs.hostName
output ALM_KEY_VAULT string = vault.outputs.name
output ALM_IDENTITY_PRINCIPAL string = identity.outputs.principalId
output ALM_INSIGHTS_NAME string = monitoring.outputs.insightsName
