"""What Studio's own modules are called, by their family: ids say nothing to people.

Source: families as captured and published; the local Studio has the same.
"""

from __future__ import annotations

from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "b2ebdabd217d491586cc5b05972f7270": "Add Rows",
    "805e592d0f1f48eb97c9688ed0c1dc70": "Apply Transformation",
    "ee12de502b344145aec023e0485da308": "Bayesian Linear Regression",
    "0207d2526c414c7784c373bdf1ac5960": "Boosted Decision Tree Regression",
    "d2c5ca2f732341a39b7eda917c99f0c4": "Clean Missing Data",
    "faa6ba63383c4086ba587abf26b85814": "Convert to CSV",
    "72bf58e0fc874bb19704f1805003b975": "Convert to Dataset",
    "1cdbcda42ece49088b87e6b636258d3d": "Convert to TSV",
    "314e34a8b24c4870afe62649b6fc7476": "Create R Model",
    "75fb875d6b864d468bcc74261ade5826": "Cross Validate Model",
    "562988b2e7404e3a8131358391bad755": "Decision Forest Regression",
    "370b6676c11c486fbf7335349f842a66": "Edit Metadata",
    "4fbef0ab2c8e4a25b5c47be76eac33d6": "Enter Data Manually",
    "927d65ac3b504694990320f6c1672089": "Evaluate Model",
    "927d65ac3b50488aaae26bb8a4b63a06": "Evaluate Model",
    "cdb56f957f4c404dbde75bb972e6f232": "Execute Python Script",
    "30806023392b42e094d66b775a6e0fd5": "Execute R Script",
    "7a391181b6a74ad4b82de419c0d6522c": "Export Data",
    "4e1b0fe6aded4b3fa36f39b8862b9004": "Import Data",
    "124865f7e9014656adacf4cb08248099": "Join Data",
    "31960a6f789b4cf788d62e1152c0bd1a": "Linear Regression",
    "5e70108d2e4445d986e894f37c68fe86": "Multiclass Decision Forest",
    "1d195fe598cd4e1aa1c8076aaa3e02c3": "Multiclass Logistic Regression",
    "e8b401fb230a4b21bd11d1fda0d57c1f": "Multiclass Neural Network",
    "d7ee222c669f4200a576a761a9c1a928": "Neural Network Regression",
    "986df33367484b85923d871df70d6aaf": "Normalize Data",
    "80e21b9d382740d8b733b53148becbc2": "Poisson Regression",
    "401b4f92e7244d5abe81d5b0ff9bdb33": "Score Model",
    "1ec722fab6234e26a44ea50c6d726223": "Select Columns in Dataset",
    "70530644c97a4ab685f788bf30a8be5f": "Split Data",
    "5cc7053eaa30450d96c0dae4be720977": "Train Model",
    "038d91b6c2f242a192151f2c20ed1b40": "Tune Model Hyperparameters",
    "5ed44caa5360407dae6c7a88c491474a": "Two-Class Averaged Perceptron",
    "e3c522f853d948298ea45c6a6b75330c": "Two-Class Boosted Decision Tree",
    "5a7d5466992840c8a19cd5de4882c77e": "Two-Class Decision Forest",
    "b0fd7660eeed43c5948720d9cc79ed5d": "Two-Class Logistic Regression",
    "ebc29f52719d4d0fb66a2ce85f527c7d": "Two-Class Neural Network",
    "12d8479b74b44e67b8ded32867380e20": "Two-Class Support Vector Machine",
}
