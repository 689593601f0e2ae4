"""The stages of the experiment pipeline: the ten Studio steps, one file per kind of step.

upload        1      a dataset blob becomes a dataset of the workspace
copying       2, 6   our copies of the training and the predictive experiment
equip         3, 7   put the dataset, the trained model into them
running       4, 8   run an experiment, wait for its end
take_output          the trained model and its evidence, as files of the run
register      5      the trained model becomes an asset of the workspace
deploy        9      the web service; `smoke` tests it (10)
restore              the predictive experiment as a commit has it
undo                 the predictive experiment and the service as they were
"""
