// Who may do what, and for which client. tests/infra/test_roles.py compares this with the code.
//
// Roles of the data plane are given per container and queue. Four are given for a whole account:
// grants are signed with a key of the account (Delegator), the blob trigger names its queue itself,
// and the Functions host makes its containers, queues and tables as it needs them.
param principalId string
param dataName string
param hostName string
param topicPrincipalId string
param busName string
param vaultName string
param insightsName string
param operatorsGroupId string

var here = resourceGroup().id
var role = {
  blobOwner: 'b7e6dc6d-f1c8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor
  blobReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1' // Storage Blob Data Reader
  blobDelegator: 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a' // Storage Blob Delegator
  queueContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
  busReceiver: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0' // Azure Service Bus Data Receiver
  busSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39' // Azure Service Bus Data Sender
  secretsUser: '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User
  secretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7' // Key Vault Secrets Officer
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb' // Monitoring Metrics Publisher
}
var readContainers = ['datasets', 'trained-models', 'gate-rows'] // landing zones: the app never writes there
var writtenContainers = ['alm-jobs', 'alm-versions', 'alm-ledger', 'alm-runs', 'alm-inbox', 'alm-definitions']
var deadLetterContainer = 'event-dead-letters'
var receivedQueues = ['alm-steps', 'alm-requests', 'alm-events'] // have a function; others read the rest
var queueNames = map(loadJsonContent('../servicebus.json').UserConfig.Namespaces[0].Queues, queue => queue.Name)

resource data 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: data
  name: 'default'
}

resource readOnes 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [
  for name in readContainers: {
    parent: blobs
    name: name
  }
]

resource writtenOnes 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [
  for name in writtenContainers: {
    parent: blobs
    name: name
  }
]

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: blobs
  name: deadLetterContainer
}

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostName
}

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: busName
}

resource allQueues 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = [
  for name in queueNames: {
    parent: bus
    name: name
  }
]

resource ownQueues 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = [
  for name in receivedQueues: {
    parent: bus
    name: name
  }
]

resource requests 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = {
  parent: bus
  name: 'alm-requests'
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// The app's own store ----------------------------------------------------------------------------

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in readContainers: {
    scope: readOnes[i]
    name: guid(data.id, name, principalId, role.blobReader)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.blobReader)
    }
  }
]

resource writes 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in writtenContainers: {
    scope: writtenOnes[i]
    name: guid(data.id, name, principalId, role.blobContributor)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.blobContributor)
    }
  }
]

resource signsGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: data
  name: guid(data.id, principalId, role.blobDelegator)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.blobDelegator)
  }
}

// The blob trigger keeps what Event Grid told it in a queue of the account it watches.
resource triggerQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: data
  name: guid(data.id, principalId, role.queueContributor)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.queueContributor)
  }
}

resource eventDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: deadLetters
  name: guid(data.id, deadLetterContainer, topicPrincipalId, role.blobContributor)
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.blobContributor)
  }
}

// The Functions host -----------------------------------------------------------------------------

resource hostRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for id in [role.blobOwner, role.queueContributor, role.tableContributor]: {
    scope: host
    name: guid(host.id, principalId, id)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', id)
    }
  }
]

// Service Bus ------------------------------------------------------------------------------------

resource sends 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in queueNames: {
    scope: allQueues[i]
    name: guid(bus.id, name, principalId, role.busSender)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.busSender)
    }
  }
]

resource receives 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in receivedQueues: {
    scope: ownQueues[i]
    name: guid(bus.id, name, principalId, role.busReceiver)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.busReceiver)
    }
  }
]

// The scale controller asks how long the queues are. Without the leave it peeks, and scales late;
// the built-in role that has it, Data Owner, could also delete queues.
resource countsMessages 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, 'reads-queue-lengths')
  properties: {
    roleName: 'ALM reads queue lengths (${busName})'
    description: 'May read the properties of Service Bus queues, such as how many messages wait.'
    type: 'CustomRole'
    permissions: [
      {
        actions: ['Microsoft.ServiceBus/namespaces/*/read']
      }
    ]
    assignableScopes: [here]
  }
}

resource counts 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: bus
  name: guid(bus.id, principalId, countsMessages.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: countsMessages.id
  }
}

// Secrets and telemetry --------------------------------------------------------------------------

resource readsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, principalId, role.secretsUser)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.secretsUser)
  }
}

resource publishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, principalId, role.metricsPublisher)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.metricsPublisher)
  }
}

// People who operate -----------------------------------------------------------------------------

resource operatorsUpload 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in readContainers: if (!empty(operatorsGroupId)) {
    scope: readOnes[i]
    name: guid(data.id, name, operatorsGroupId, role.blobContributor)
    properties: {
      principalId: operatorsGroupId
      principalType: 'Group'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.blobContributor)
    }
  }
]

resource operatorsRequest 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  scope: requests
  name: guid(bus.id, operatorsGroupId, role.busSender)
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.busSender)
  }
}

resource operatorsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorsGroupId)) {
  scope: vault
  name: guid(vault.id, operatorsGroupId, role.secretsOfficer)
  properties: {
    principalId: operatorsGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.secretsOfficer)
  }
}
