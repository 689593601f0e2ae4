// Two accounts. `data` holds what people and the app keep, and announces what lands there;
// `host` holds what the Functions host needs, so that its locks and receipts raise no events
// and the rights it needs there reach no model.
param dataName string
param hostName string
param topicName string
param location string
param tags object
param keepJobsDays int
param keepDeletedDays int
param redundancy string

var landingZones = ['datasets', 'trained-models', 'gate-rows']
var ownContainers = ['alm-jobs', 'alm-versions', 'alm-ledger', 'alm-runs', 'alm-inbox', 'alm-definitions']
var deadLetterContainer = 'event-dead-letters'

resource data 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: dataName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled' // Studio reads and writes here, with the leave that each job is given
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: data
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: {
      enabled: true
      days: keepDeletedDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: keepDeletedDays
    }
    cors: { corsRules: [] }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [
  for name in concat(landingZones, ownContainers, [deadLetterContainer]): {
    parent: blobs
    name: name
    properties: { publicAccess: 'None' }
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: data
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'files-of-jobs'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: ['alm-jobs/']
            }
            actions: {
              baseBlob: { delete: { daysAfterModificationGreaterThan: keepJobsDays } }
            }
          }
        }
        {
          name: 'events-that-could-not-be-delivered'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: ['${deadLetterContainer}/']
            }
            actions: {
              baseBlob: { delete: { daysAfterModificationGreaterThan: 90 } }
            }
          }
        }
        {
          name: 'what-was-overwritten' // ledgers are written several times a run: old versions add up
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'] }
            actions: {
              version: { delete: { daysAfterCreationGreaterThan: keepDeletedDays } }
            }
          }
        }
      ]
    }
  }
  dependsOn: [
    blobs // a rule about versions needs versioning
  ]
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: topicName
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' } // writes dead letters: no key of the account could
  properties: {
    source: data.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource host 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: hostName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource hostBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: host
  name: 'default'
  properties: {
    cors: { corsRules: [] }
  }
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: hostBlobs
  name: 'deployments'
  properties: { publicAccess: 'None' }
}

output dataName string = data.name
output hostName string = host.name
output topicName string = topic.name
output topicPrincipalId string = topic.identity.principalId
