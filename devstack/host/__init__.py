"""Local Functions host: runs the real `function_app.py` and `host.json` on one machine.

The host (this process) listens: blobs, Service Bus, timers, HTTP. The app runs in one child, the
worker, as it does in Azure; nothing of the app is ever imported here.
"""
