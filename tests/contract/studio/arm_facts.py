"""What the specification says about the documents of Resource Manager web services and plans.

Facts from the OpenAPI descriptions of Microsoft.MachineLearning (webServices 2017-01-01 and
2016-05-01-preview, commitmentPlans 2016-05-01-preview), a definition a paragraph: its fields, each
with its type. `!` marks a required field, `-` a read-only one. Types: text, flag, whole, number,
time, any; `[x]` a list and `{x}` an object of x; `text(a|b)` one of these; else a definition.
The discriminator `packageType` has one value, so its properties are those of a graph.
"""

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
"""
