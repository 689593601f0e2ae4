"""What the specification says about Resource Manager web services, plans and workspaces.

Facts from the OpenAPI descriptions of Microsoft.MachineLearning (webServices 2017-01-01 and
2016-05-01-preview, commitmentPlans 2016-05-01-preview, workspaces 2019-10-01 and 2016-04-01): first
the calls, then the documents, a definition a paragraph: its fields, each with its type. `!` marks a
required field, `-` a read-only one. Types: text, flag, whole, number, time, any; `[x]` a list and
`{x}` an object of x; `text(a|b)` one of these; else a definition. `Move` is the specification's
MoveCommitmentAssociationRequest. The discriminator `packageType` has one value, so its properties
are those of a graph.
"""

CALLS = """
webservices 2016-05-01-preview 2017-01-01
    GET webservices - 200 PaginatedWebServicesList
    GET webservices/* - 200 WebService
    PUT webservices/* WebService 200,201 WebService
    PATCH webservices/* PatchedWebService 200 WebService
    DELETE webservices/* - 202,204 -
    GET webservices/*/listkeys - 200 WebServiceKeys
    GET locations/*/operationsstatus/* - 200 AsyncOperationStatus
webservices 2017-01-01
    POST webservices/*/createregionalblob - 200,202 AsyncOperationStatus
    GET operations - 200 OperationEntityListResult
commitmentplans 2016-05-01-preview
    GET commitmentplans - 200 CommitmentPlanListResult
    GET commitmentplans/* - 200 CommitmentPlan
    PUT commitmentplans/* CommitmentPlan 200,201 CommitmentPlan
    PATCH commitmentplans/* CommitmentPlanPatchPayload 200 CommitmentPlan
    DELETE commitmentplans/* - 200 -
    GET commitmentplans/*/commitmentassociations - 200 CommitmentAssociationListResult
    GET commitmentplans/*/commitmentassociations/* - 200 CommitmentAssociation
    POST commitmentplans/*/commitmentassociations/*/move Move 200 CommitmentAssociation
    GET commitmentplans/*/usagehistory - 200 PlanUsageHistoryListResult
    GET skus - 200 SkuListResult
    GET operations - 200 OperationEntityListResult
workspaces 2016-04-01 2019-10-01
    GET workspaces - 200 WorkspaceListResult
    GET workspaces/* - 200 Workspace
    PUT workspaces/* Workspace 200 Workspace
    PATCH workspaces/* WorkspaceUpdateParameters 200 Workspace
    DELETE workspaces/* - 200,204 -
    POST workspaces/*/listworkspacekeys - 200 WorkspaceKeysResponse
    POST workspaces/*/resyncstoragekeys - 200 -
    GET operations - 200 OperationListResult
"""
"""Below the provider, in lower case: method, path, what is sent, with which statuses it succeeds,
what is answered. That an operation is asked about below `locations` is inferred; its document is in
the specification. The PATCH of 2016 sends a whole web service."""

WEB_SERVICES_2017 = """
WebService
    id-:text name-:text location!:text type-:text tags:{text}
    properties!:WebServicePropertiesForGraph
PatchedWebService
    id-:text name-:text location-:text type-:text tags:{text}
    properties:WebServicePropertiesForGraph
WebServicePropertiesForGraph
    title:text description:text createdOn-:time modifiedOn-:time
    provisioningState-:text(Unknown|Provisioning|Succeeded|Failed) keys:WebServiceKeys
    readOnly:flag swaggerLocation-:text exposeSampleData:flag
    realtimeConfiguration:RealtimeConfiguration diagnostics:DiagnosticsConfiguration
    storageAccount:StorageAccount machineLearningWorkspace:MachineLearningWorkspace
    commitmentPlan:CommitmentPlan input:ServiceInputOutputSpecification
    output:ServiceInputOutputSpecification exampleRequest:ExampleRequest assets:{AssetItem}
    parameters:{WebServiceParameter} packageType!:text(Graph) payloadsInBlobStorage:flag
    payloadsLocation:BlobLocation package:GraphPackage
WebServiceKeys
    primary:text secondary:text
PaginatedWebServicesList
    value:[WebService] nextLink:text
RealtimeConfiguration
    maxConcurrentCalls:whole(4..200)
DiagnosticsConfiguration
    level!:text(None|Error|All) expiry:time
StorageAccount
    name:text key:text
MachineLearningWorkspace
    id!:text
CommitmentPlan
    id!:text
ServiceInputOutputSpecification
    title:text description:text type!:text properties!:{TableSpecification}
TableSpecification
    title:text description:text type!:text format:text properties:{ColumnSpecification}
ColumnSpecification
    type!:text(Boolean|Integer|Number|String)
    format:text(Byte|Char|Complex64|Complex128|Date-time|Date-timeOffset|Double|Duration|Float|Int8|Int16|Int32|Int64|Uint8|Uint16|Uint32|Uint64)
    enum:[any] x-ms-isnullable:flag x-ms-isordered:flag
ExampleRequest
    inputs:{[[any]]} globalParameters:{any}
AssetItem
    name!:text id:text type!:text(Module|Resource) locationInfo!:BlobLocation
    inputPorts:{InputPort} outputPorts:{OutputPort} metadata:{text}
    parameters:[ModuleAssetParameter]
BlobLocation
    uri!:text credentials:text
ModuleAssetParameter
    name:text parameterType:text modeValuesInfo:{ModeValueInfo}
ModeValueInfo
    interfaceString:text parameters:[ModuleAssetParameter]
InputPort
    type:text(Dataset)
OutputPort
    type:text(Dataset)
GraphPackage
    nodes:{GraphNode} edges:[GraphEdge] graphParameters:{GraphParameter}
GraphNode
    assetId:text inputId:text outputId:text parameters:{WebServiceParameter}
GraphEdge
    sourceNodeId:text sourcePortId:text targetNodeId:text targetPortId:text
GraphParameter
    description:text
    type!:text(String|Int|Float|Enumerated|Script|Mode|Credential|Boolean|Double|ColumnPicker|ParameterRange|DataGatewayName)
    links!:[GraphParameterLink]
GraphParameterLink
    nodeId!:text parameterKey!:text
WebServiceParameter
    value:any certificateThumbprint:text
AsyncOperationStatus
    id-:text name-:text provisioningState-:text(Unknown|Provisioning|Succeeded|Failed)
    startTime-:time endTime-:time percentComplete-:number errorInfo-:AsyncOperationErrorInfo
AsyncOperationErrorInfo
    code-:text target-:text message-:text details-:[AsyncOperationErrorInfo]
OperationEntityListResult
    value-:[OperationEntity]
OperationEntity
    name-:text display:OperationDisplayInfo
OperationDisplayInfo
    description-:text operation-:text provider-:text resource-:text
"""

WEB_SERVICES_2016 = """
WebService
    id-:text name:text location!:text type-:text tags:{text}
    properties!:WebServicePropertiesForGraph
WebServicePropertiesForGraph
    title:text description:text createdOn-:time modifiedOn-:time
    provisioningState-:text(Unknown|Provisioning|Succeeded|Failed) keys:WebServiceKeys
    readOnly:flag swaggerLocation-:text exposeSampleData:flag
    realtimeConfiguration:RealtimeConfiguration diagnostics:DiagnosticsConfiguration
    storageAccount:StorageAccount machineLearningWorkspace:MachineLearningWorkspace
    commitmentPlan:CommitmentPlan input:ServiceInputOutputSpecification
    output:ServiceInputOutputSpecification exampleRequest:ExampleRequest assets:{AssetItem}
    parameters:{text} packageType!:text(Graph) package:GraphPackage
AssetItem
    name!:text id:text type!:text(Module|Resource) locationInfo!:AssetLocation
    inputPorts:{InputPort} outputPorts:{OutputPort} metadata:{text}
    parameters:[ModuleAssetParameter]
AssetLocation
    uri!:text credentials:text
GraphNode
    assetId:text inputId:text outputId:text parameters:{text}
"""
"""Where it differs from 2017; 2016 has neither PatchedWebService nor payloads."""

PLANS = """
CommitmentPlan
    id-:text name-:text location!:text type-:text tags:{text} etag:text
    properties-:CommitmentPlanProperties sku:ResourceSku
CommitmentPlanProperties
    chargeForOverage-:flag chargeForPlan-:flag creationDate-:time
    includedQuantities-:{PlanQuantity} maxAssociationLimit-:whole maxCapacityLimit-:whole
    minCapacityLimit-:whole planMeter-:text refillFrequencyInDays-:whole
    suspendPlanOnOverage-:flag
PlanQuantity
    allowance-:number amount-:number includedQuantityMeter-:text overageMeter-:text
ResourceSku
    capacity:whole name:text tier:text
CommitmentPlanListResult
    nextLink:text value:[CommitmentPlan]
CommitmentAssociation
    id-:text name-:text location!:text type-:text tags:{text} etag:text
    properties:CommitmentAssociationProperties
CommitmentAssociationProperties
    associatedResourceId-:text commitmentPlanId-:text creationDate-:time
CommitmentAssociationListResult
    nextLink:text value:[CommitmentAssociation]
CommitmentPlanPatchPayload
    tags:{text} sku:ResourceSku
Move
    destinationPlanId:text
PlanUsageHistoryListResult
    nextLink:text value:[PlanUsageHistory]
PlanUsageHistory
    planDeletionOverage:{number} planMigrationOverage:{number} planQuantitiesAfterUsage:{number}
    planQuantitiesBeforeUsage:{number} planUsageOverage:{number} usage:{number} usageDate:time
SkuListResult
    value-:[CatalogSku]
CatalogSku
    resourceType-:text name-:text tier-:text locations-:[text] capacity-:SkuCapacity
    capabilities-:[SkuCapability] costs-:[SkuCost] restrictions-:[SkuRestrictions]
SkuCapacity
    minimum-:whole maximum-:whole default-:whole scaleType-:text(Automatic|Manual|None)
SkuCapability
    name-:text value-:text
SkuCost
    meterID-:text quantity-:whole extendedUnit-:text
SkuRestrictions
    type-:text(location|zone) values-:[text]
    reasonCode-:text(QuotaId|NotAvailableForSubscription)
OperationEntityListResult
    value-:[OperationEntity]
OperationEntity
    name-:text display:OperationDisplayInfo
OperationDisplayInfo
    description-:text operation-:text provider-:text resource-:text
"""

WORKSPACES_2019 = """
Workspace
    id-:text name-:text location!:text type-:text tags:{text} sku:Sku
    properties:WorkspaceProperties
WorkspaceProperties
    userStorageAccountId!:text ownerEmail!:text
    workspaceType-:text(Production|Free|Anonymous|PaidStandard|PaidPremium)
    workspaceState-:text(Deleted|Enabled|Disabled|Migrated|Updated|Registered|Unregistered)
    workspaceId-:text creationTime-:text studioEndpoint-:text keyVaultIdentifierId:text
WorkspaceUpdateParameters
    tags:{text} properties:WorkspacePropertiesUpdateParameters
WorkspacePropertiesUpdateParameters
    workspaceState:text(Deleted|Enabled|Disabled|Migrated|Updated|Registered|Unregistered)
    keyVaultIdentifierId:text sku:Sku
Sku
    name:text tier:text
WorkspaceKeysResponse
    primaryToken:text secondaryToken:text
WorkspaceListResult
    nextLink:text value:[Workspace]
OperationListResult
    value:[Operation]
Operation
    name:text display:OperationDisplay
OperationDisplay
    provider:text resource:text operation:text description:text
ErrorResponse
    code!:text message!:text
"""

WORKSPACES_2016 = """
Workspace
    id-:text name-:text location!:text type-:text tags:{text} properties:WorkspaceProperties
WorkspacePropertiesUpdateParameters
    workspaceState:text(Deleted|Enabled|Disabled|Migrated|Updated|Registered|Unregistered)
    keyVaultIdentifierId:text
"""
"""Where it differs from 2019, which brought the SKU."""
