"""From a file landing in a container to a verified model behind every endpoint, with a way back.

Start reading at `pipelines.py` (the tables), then `engine.py` (how a message is handled).
"""
