"""A local broker for queues that the unmodified `azure-servicebus` SDK (7.15) talks to.

SDK-compatible, not an emulator: it promises that the SDK is satisfied, and that whatever it
acknowledged survives the death of its process. It refuses by name what it does not implement:
topics, subscriptions and rules; transactions; partitioned queues; forwarding; properties changed
while settling; selectors; message formats other than single and batch; messages over 256 KiB;
transfer dead-letter queues; and the management API over HTTP, which the SDK reaches over TLS only.
It has no TLS and no WebSockets, checks no token, and listens on 127.0.0.1 only.
"""
