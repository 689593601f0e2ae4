// What lands in storage starts runs. Deployed after the code (azure.yaml, postdeploy): Event Grid asks
// the webhook whether it agrees, and the key it is called with exists once the app has started.
param appName string
param dataName string
param topicName string

var deadLetterContainer = 'event-dead-letters'
var subscriptions = [
  { name: 'datasets', function: 'on_dataset' }
  { name: 'trained-models', function: 'on_trained_model' }
]

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource data 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource landed 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for item in subscriptions: {
    parent: topic
    name: item.name
    properties: {
      eventDeliverySchema: 'EventGridSchema'
      destination: {
        endpointType: 'WebHook'
        properties: {
          endpointUrl: 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs?functionName=Host.Functions.${item.function}&code=${listKeys('${app.id}/host/default', '2024-11-01').systemKeys.blobs_extension}'
          maxEventsPerBatch: 1
          preferredBatchSizeInKilobytes: 64
        }
      }
      filter: {
        includedEventTypes: ['Microsoft.Storage.BlobCreated']
        subjectBeginsWith: '/blobServices/default/containers/${item.name}/blobs/'
        advancedFilters: [
          {
            // The last call of each way to write a blob: a file that is half there starts nothing.
            operatorType: 'StringIn'
            key: 'data.api'
            values: ['PutBlob', 'PutBlockList', 'CopyBlob', 'FlushWithClose']
          }
        ]
      }
      retryPolicy: {
        maxDeliveryAttempts: 30
        eventTimeToLiveInMinutes: 1440
      }
      deadLetterWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: {
            resourceId: data.id
            blobContainerName: deadLetterContainer
          }
        }
      }
    }
  }
]
