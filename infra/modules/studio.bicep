// In the resource group of Studio's "new" web services: the calls that alm/adapters/studio makes, no more.
param principalId string

var here = resourceGroup().id

resource servesModels 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, 'patches-web-services')
  properties: {
    roleName: 'ALM patches web services (${resourceGroup().name})'
    description: 'May read, write, delete and call Studio web services, and use their commitment plans.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.MachineLearning/webServices/read'
          'Microsoft.MachineLearning/webServices/*/read' // keys are asked for with GET …/listKeys
          'Microsoft.MachineLearning/webServices/write'
          'Microsoft.MachineLearning/webServices/delete'
          'Microsoft.MachineLearning/commitmentPlans/read'
          'Microsoft.MachineLearning/commitmentPlans/join/action' // what putting a service into a plan needs
        ]
      }
    ]
    assignableScopes: [here]
  }
}

resource serves 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(here, principalId, servesModels.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: servesModels.id
  }
}
