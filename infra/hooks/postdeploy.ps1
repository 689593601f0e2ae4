# Subscribe the app to what lands in storage. azd sets the variables; running it again changes nothing.
# az has a default subscription of its own, which may be another than azd's: it is always named.
# The key of the webhook is never read here: Resource Manager puts it into the subscription itself.
$ErrorActionPreference = 'Stop'

foreach ($name in 'AZURE_SUBSCRIPTION_ID', 'AZURE_RESOURCE_GROUP', 'ALM_APP_NAME', 'ALM_DATA_ACCOUNT', 'ALM_EVENT_TOPIC') {
    if (-not [Environment]::GetEnvironmentVariable($name)) {
        throw "$name is not set; run azd provision, and this through azd"
    }
}

$tries = 0
while ((az functionapp keys list --subscription $env:AZURE_SUBSCRIPTION_ID `
        --resource-group $env:AZURE_RESOURCE_GROUP --name $env:ALM_APP_NAME `
        --query 'systemKeys.blobs_extension != null' --output tsv 2>$null) -ne 'true') {
    $tries++
    if ($tries -ge 30) {
        throw "$env:ALM_APP_NAME has no key blobs_extension after five minutes: its host did not start, or found " +
            "no blob trigger; see docs/deploy.md, 'What to check first', 3"
    }
    Write-Host "waiting until $env:ALM_APP_NAME has started ($tries of 30)"
    Start-Sleep -Seconds 10
}

az deployment group create --subscription $env:AZURE_SUBSCRIPTION_ID `
    --resource-group $env:AZURE_RESOURCE_GROUP --name events --output none `
    --template-file (Join-Path $PSScriptRoot '../events.bicep') `
    --parameters appName=$env:ALM_APP_NAME dataName=$env:ALM_DATA_ACCOUNT topicName=$env:ALM_EVENT_TOPIC
if ($LASTEXITCODE -ne 0) {
    throw 'the event subscriptions could not be made; the message of az is above'
}
Write-Host "subscribed $env:ALM_APP_NAME to datasets and trained-models of $env:ALM_DATA_ACCOUNT"
