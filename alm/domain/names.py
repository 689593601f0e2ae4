"""Forms of the names that declarations hold: ids, addresses, paths, names of secrets."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

MODEL_PATTERN = "[a-z0-9][a-z0-9._-]{0,89}"  # the id of a managed model
ModelId = Annotated[str, StringConstraints(pattern=f"^{MODEL_PATTERN}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
REFERENCE_PATTERN = r"(env:[A-Z][A-Z0-9_]*|keyvault:[\w-]+/[\w-]+)"  # names one, never holds it
SecretName = Annotated[str, StringConstraints(pattern=f"^{REFERENCE_PATTERN}$")]
BlobPath = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{3,63}/[^?#\\]{1,900}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]+(:\d+)?/[^?#\s]*$")]
ArmId = Annotated[
    str,
    StringConstraints(
        pattern=r"(?i)^/subscriptions/[\w-]+/resourceGroups/[\w.()-]+/providers/"
        r"Microsoft\.MachineLearning/webServices/[\w.-]+$"
    ),
]
PlanId = Annotated[
    str,
    StringConstraints(
        pattern=r"(?i)^/subscriptions/[a-z0-9-]+/resourceGroups/[a-z0-9_()-][a-z0-9_.()-]*/providers/"
        r"Microsoft\.MachineLearning/commitmentPlans/[a-z0-9_()-][a-z0-9_.()-]*$"
    ),
]
