"""Ask for a retraining by queue, and wait for the answers: `python producer.py churn`."""

import json
import os
import sys
import uuid

from azure.servicebus import ServiceBusClient, ServiceBusMessage

order = {"id": f"producer-{uuid.uuid4()}", "kind": "retrain", "model": sys.argv[1]}
with ServiceBusClient.from_connection_string(os.environ["ALM_SERVICEBUS"]) as bus:
    with bus.get_queue_sender("alm-requests") as sender:
        sender.send_messages(ServiceBusMessage(json.dumps(order), reply_to="alm-answers"))
    with bus.get_queue_receiver("alm-answers", max_wait_time=120) as answers:
        for message in answers:
            answers.complete_message(message)
            answer = json.loads(str(message))
            print(answer["event"], answer.get("run", ""), answer.get("why", ""))
            if answer["event"] != "accepted":
                sys.exit(answer.get("result") != "ok")
