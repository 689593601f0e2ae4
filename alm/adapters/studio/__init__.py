"""Azure Machine Learning Studio as its clients see it: batch execution and web services."""
