#!/bin/sh
# Subscribe the app to what lands in storage. azd sets the variables; running it again changes nothing.
# az has a default subscription of its own, which may be another than azd's: it is always named.
# The key of the webhook is never read here: Resource Manager puts it into the subscription itself.
set -eu

: "${AZURE_SUBSCRIPTION_ID:?is not set; run this through azd, or azd env get-values}"
: "${AZURE_RESOURCE_GROUP:?is not set; run this through azd, or azd env get-values}"
: "${ALM_APP_NAME:?is not set; run azd provision}"
: "${ALM_DATA_ACCOUNT:?is not set; run azd provision}"
: "${ALM_EVENT_TOPIC:?is not set; run azd provision}"

tries=0
until [ "$(az functionapp keys list --subscription "$AZURE_SUBSCRIPTION_ID" \
    --resource-group "$AZURE_RESOURCE_GROUP" --name "$ALM_APP_NAME" --query 'systemKeys.blobs_extension != null' \
    --output tsv 2>/dev/null)" = true ]; do
    tries=$((tries + 1))
    if [ "$tries" -ge 30 ]; then
        echo "$ALM_APP_NAME has no key blobs_extension after five minutes: its host did not start, or found" \
            "no blob trigger; see docs/deploy.md, 'What to check first', 3" >&2
        exit 1
    fi
    echo "waiting until $ALM_APP_NAME has started ($tries of 30)"
    sleep 10
done

az deployment group create --subscription "$AZURE_SUBSCRIPTION_ID" \
    --resource-group "$AZURE_RESOURCE_GROUP" --name events --output none \
    --template-file "$(dirname "$0")/../events.bicep" \
    --parameters appName="$ALM_APP_NAME" dataName="$ALM_DATA_ACCOUNT" topicName="$ALM_EVENT_TOPIC"
echo "subscribed $ALM_APP_NAME to datasets and trained-models of $ALM_DATA_ACCOUNT"
