// The function app on a Flex Consumption plan, its settings, and sign-in.
param name string
param planName string
param location string
param tags object
param identityId string
param clientId string
param hostName string
param dataName string
param busName string
param insightsName string
param pythonVersion string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReady array
param signInClientId string
param apiKeys object
param roleMembers object
param git object
param replyQueues string
param eventsQueue string
param eventsWebhook string
param allowedHosts string
param storageHosts string
param otlpEndpoint string
param moreSettings object

var signsIn = !empty(signInClientId)

// Settings that are always there. Connections are prefixes: the host and the app read the same ones,
// and one whole setting by that name (ALM_STORAGE, ALM_SERVICEBUS) would win over them.
var settings = {
  AzureWebJobsStorage__accountName: hostName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: clientId
  AzureWebJobsDisableHomepage: 'true' // the app's own page is at /
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
  PYTHON_THREADPOOL_THREAD_COUNT: '32' // one for each session of host.json: a step waits for no thread
  PYTHON_ENABLE_OPENTELEMETRY: 'true' // the worker sends its log lines itself, or the host would send them again
  AZURE_CLIENT_ID: clientId
  ALM_STORAGE__blobServiceUri: data.properties.primaryEndpoints.blob
  ALM_STORAGE__queueServiceUri: data.properties.primaryEndpoints.queue
  ALM_STORAGE__credential: 'managedidentity'
  ALM_STORAGE__clientId: clientId
  ALM_SERVICEBUS__fullyQualifiedNamespace: replace(replace(bus.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')
  ALM_SERVICEBUS__credential: 'managedidentity'
  ALM_SERVICEBUS__clientId: clientId
  ALM_API_KEYS: string(apiKeys)
  ALM_PLATFORM_AUTH: string(signsIn)
  ALM_ROLE_MEMBERS: string(roleMembers)
}

// Settings that are left out while they have no value.
var chosen = {
  ALM_REPLY_QUEUES: replyQueues
  ALM_EVENTS_QUEUE: eventsQueue
  ALM_EVENTS_WEBHOOK: eventsWebhook
  ALM_ALLOWED_HOSTS: allowedHosts
  ALM_STORAGE_HOSTS: storageHosts
  ALM_GIT: empty(git) ? '' : string(git)
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint
  OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: signsIn ? clientId : ''
  WEBSITE_AUTH_AAD_ALLOWED_TENANTS: signsIn ? tenant().tenantId : ''
}
var given = toObject(filter(items(chosen), item => !empty(item.value)), item => item.key, item => item.value)

resource data 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataName
}

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostName
}

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: busName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: { reserved: true } // Linux
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${host.properties.primaryEndpoints.blob}deployments'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
        triggers: {
          http: { perInstanceConcurrency: 16 } // Python's own default is 1; half of the threads is plenty
        }
      }
    }
  }
}

resource configuration 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, given, moreSettings)
}

// Nobody is turned away here: calls with an API key have no session, and Event Grid has neither.
// The app's own `authorise` refuses who has no role.
resource signIn 'Microsoft.Web/sites/config@2024-11-01' = if (signsIn) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: signInClientId
          clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID' // the identity stands for a secret
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: [signInClientId, 'api://${signInClientId}'] }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
  dependsOn: [
    configuration
  ]
}

resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [
  for way in ['ftp', 'scm']: {
    parent: app
    name: way
    properties: { allow: false } // packages come with an Entra token, never with a password
  }
]

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
