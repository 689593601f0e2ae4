"""Tables, learners, evaluation, the `.iLearner` file. Knows nothing of HTTP or services."""
