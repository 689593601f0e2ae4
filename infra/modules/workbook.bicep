// One workbook: how runs end, what is in flight, where time goes, what needs a person, one run by its name.
param insightsName string
param location string
param tags object

var panels = [
  {
    title: 'Runs by result'
    query: loadTextContent('../queries/runs-by-result.kql')
    visualization: 'barchart'
  }
  {
    title: 'What began runs'
    query: loadTextContent('../queries/runs-begun.kql')
    visualization: 'table'
  }
  {
    title: 'In flight'
    query: loadTextContent('../queries/in-flight.kql')
    visualization: 'timechart'
  }
  {
    title: 'How long runs take'
    query: loadTextContent('../queries/run-duration.kql')
    visualization: 'table'
  }
  {
    title: 'How long stages take'
    query: loadTextContent('../queries/stage-duration.kql')
    visualization: 'table'
  }
  {
    title: 'Outcomes of stages'
    query: loadTextContent('../queries/stage-outcomes.kql')
    visualization: 'table'
  }
  {
    title: 'Calls to services'
    query: loadTextContent('../queries/calls.kql')
    visualization: 'table'
  }
  {
    title: 'Failing targets'
    query: loadTextContent('../queries/failing-targets.kql')
    visualization: 'table'
  }
  {
    title: 'Inbox'
    query: loadTextContent('../queries/inbox.kql')
    visualization: 'table'
  }
  {
    title: 'One run, step by step (write its name above)'
    query: loadTextContent('../queries/one-run.kql')
    visualization: 'table'
  }
]
var parameters = {
  type: 9
  name: 'parameters'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    queryType: 0
    resourceType: 'microsoft.insights/components'
    parameters: [
      {
        id: guid('alm-workbook-range')
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        label: 'Time'
        type: 4
        isRequired: true
        value: { durationMs: 86400000 }
        typeSettings: {
          selectableValues: [
            { durationMs: 3600000 }
            { durationMs: 86400000 }
            { durationMs: 604800000 }
            { durationMs: 2592000000 }
          ]
          allowCustom: true
        }
      }
      {
        id: guid('alm-workbook-run')
        version: 'KqlParameterItem/1.0'
        name: 'Run'
        label: 'Run'
        type: 1
        isRequired: false
        value: ''
      }
    ]
  }
}
var charts = [
  for panel in panels: {
    type: 3
    name: panel.title
    content: {
      version: 'KqlItem/1.0'
      title: panel.title
      query: panel.query
      visualization: panel.visualization
      size: 0
      queryType: 0
      resourceType: 'microsoft.insights/components'
      timeContextFromParameter: 'TimeRange'
    }
  }
]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'alm-workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Models: runs, targets, inbox'
    category: 'workbook'
    version: '1.0'
    sourceId: insights.id
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([parameters], charts)
      fallbackResourceIds: [insights.id]
    })
  }
}
