"""What a run costs: counted operations (`operations`), and CPU, throughput, latency (`__main__`).

The unit is the *budget run*: a later retraining of a managed model with one target, from the upload
of its dataset to the reconcile that follows its end.
"""
