// Who is told when something needs a person. Each query answers one row with one number, `Value`;
// an alert is raised while it is above zero.
param insightsName string
param location string
param tags object
param email string

var rules = [
  {
    name: 'failed'
    title: 'ALM: runs failed or were rolled back'
    severity: 2
    minutes: 5
    query: loadTextContent('../queries/alert-failed.kql')
  }
  {
    name: 'stuck'
    title: 'ALM: runs do not end'
    severity: 2
    minutes: 15
    query: loadTextContent('../queries/alert-stuck.kql')
  }
  {
    name: 'unknown'
    title: 'ALM: nobody knows what a target serves'
    severity: 1
    minutes: 15
    query: loadTextContent('../queries/alert-unknown.kql')
  }
  {
    name: 'inbox'
    title: 'ALM: something was kept in the inbox'
    severity: 3
    minutes: 5
    query: loadTextContent('../queries/alert-inbox.kql')
  }
  {
    name: 'died'
    title: 'ALM: messages died'
    severity: 1
    minutes: 5
    query: loadTextContent('../queries/alert-died.kql')
  }
  {
    name: 'silent'
    title: 'ALM: the app does not run'
    severity: 1
    minutes: 15
    query: loadTextContent('../queries/alert-silent.kql')
  }
]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'alm-operators'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'alm'
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'alm-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      description: 'What to do: docs/operations.md'
      enabled: true
      severity: rule.severity
      scopes: [insights.id]
      evaluationFrequency: 'PT${rule.minutes}M'
      windowSize: 'PT${rule.minutes}M'
      autoMitigate: true
      skipQueryValidation: true // tables of a new workspace exist once something was written
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'Value'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: empty(email) ? [] : [people.id]
      }
    }
  }
]
