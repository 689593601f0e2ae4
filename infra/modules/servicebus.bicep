// The queues of infra/servicebus.json, which the local broker reads too: one file, so they cannot differ.
param name string
param location string
param tags object

var queues = loadJsonContent('../servicebus.json').UserConfig.Namespaces[0].Queues

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard' // Basic has no sessions and no duplicate detection
    tier: 'Standard'
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [
  for each in queues: {
    parent: bus
    name: each.Name
    properties: {
      deadLetteringOnMessageExpiration: each.Properties.DeadLetteringOnMessageExpiration
      defaultMessageTimeToLive: each.Properties.DefaultMessageTimeToLive
      duplicateDetectionHistoryTimeWindow: each.Properties.DuplicateDetectionHistoryTimeWindow
      enablePartitioning: false // a partitioned queue keeps order per partition only
      lockDuration: each.Properties.LockDuration
      maxDeliveryCount: each.Properties.MaxDeliveryCount
      maxSizeInMegabytes: 5120
      requiresDuplicateDetection: each.Properties.RequiresDuplicateDetection
      requiresSession: each.Properties.RequiresSession
    }
  }
]

output name string = bus.name
output hostName string = replace(replace(bus.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')
