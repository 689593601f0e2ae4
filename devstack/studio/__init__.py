"""Local Studio: stands in for Azure Machine Learning Studio (classic); really trains and scores.

It speaks the batch execution service (BES), the request/response service (RRS), the management
interface of classic web services, and the Resource Manager interface of new ones. It is for one
machine: it listens on 127.0.0.1 only.
"""
