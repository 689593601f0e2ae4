"""What the contract suites are run on: what every world can do, and the worlds of the doubles."""

from __future__ import annotations

from typing import Any, Protocol

from alm.domain.errors import AlmError, Denied, NotFound, Refused, Unavailable, Unknown
from alm.ports import Cell, Grant, Row, ScoringTarget, Submission, TrainingService
from tests.contract.studio.waiting import PROPAGATION_SECONDS, HandClock
from tests.doubles.studio import BASE, DoubleTarget, DoubleTraining

Kind = str  # "unavailable", "denied", "lost answer"


class TrainingWorld(Protocol):
    service: TrainingService

    def submission(self) -> Submission: ...

    def failing_submission(self) -> Submission: ...

    def delete(self, job_id: str) -> None: ...

    def content(self, output: Grant) -> bytes: ...

    def fault(self, operation: str, kind: Kind) -> None: ...


class TargetWorld(Protocol):
    target: ScoringTarget
    missing: ScoringTarget
    misnamed: ScoringTarget
    refusing: ScoringTarget
    rows: tuple[Row, ...]
    unfit_rows: tuple[Row, ...]
    models: tuple[Grant, Grant]

    def answers(self, model: Grant) -> tuple[str | None, ...]: ...

    def forward(self, seconds: float) -> None: ...

    def fault(self, operation: str, kind: Kind) -> None: ...

    def let_patches_change_nothing(self) -> None: ...

    def batch_submission(self) -> Submission: ...


_ERRORS: dict[Kind, tuple[AlmError, bool]] = {
    "unavailable": (Unavailable("no room"), False),
    "denied": (Denied("wrong key"), False),
    "lost answer": (Unknown("lost"), True),
}


class DoubleTrainingWorld:
    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self.service = DoubleTraining(
            HandClock(),
            fault_of=lambda submission: submission.parameters.get("fail", ""),
            on_finished=self._write,
            outputs=("output1", "output2", "output3"),
        )
        self._count = 0

    def _write(self, job: Any) -> None:
        for output in job.outputs.values():
            self._files[output.location] = b"content"

    def submission(self, **parameters: str) -> Submission:
        self._count += 1
        inputs = {"input1": Grant(BASE, "datasets/day1.csv", "?sig=r")}
        model = Grant(BASE, f"alm-jobs/m/{self._count}/model.ilearner", "?sig=w")
        return Submission(inputs, {"output1": model}, parameters)

    def failing_submission(self) -> Submission:
        return self.submission(fail="the dataset has no rows")

    def delete(self, job_id: str) -> None:
        self.service.delete(job_id)

    def content(self, output: Grant) -> bytes:
        return self._files[output.location]

    def fault(self, operation: str, kind: Kind) -> None:
        error, after = _ERRORS[kind]
        self.service.fail(operation, error, after=after, times=None if kind == "denied" else 1)


class DoubleTargetWorld:
    def __init__(self) -> None:
        self._clock = HandClock()
        self.target = DoubleTarget(
            self._clock, propagation_seconds=PROPAGATION_SECONDS, scored_by=self._scored
        )
        self.missing = DoubleTarget(self._clock)
        for operation in ("read", "patch", "score"):
            self.missing.fail(operation, NotFound("no such endpoint"), times=None)
        self.misnamed = DoubleTarget(self._clock)
        self.misnamed.resource_missing = True
        self.refusing = DoubleTarget(self._clock)
        self.refusing.refuses = "the default endpoint takes no model"
        self.rows: tuple[Row, ...] = ({"x": 1}, {"x": 2}, {"x": 3})
        self.unfit_rows: tuple[Row, ...] = ({"no such column": 1},)
        self.models = (
            Grant(BASE, "models/v1.ilearner", "?sig=r"),
            Grant(BASE, "models/v2.ilearner", "?sig=r"),
        )

    def _scored(self, location: str, row: Row) -> dict[str, Cell]:
        if "x" not in row:
            raise Refused("score 1 rows: the model has other columns")
        return {"x": row["x"], "Scored Labels": f"{location.rpartition('/')[2]} {row['x']}"}

    def answers(self, model: Grant) -> tuple[str | None, ...]:
        return tuple(str(self._scored(model.location, row)["Scored Labels"]) for row in self.rows)

    def forward(self, seconds: float) -> None:
        self._clock.forward(seconds)

    def fault(self, operation: str, kind: Kind) -> None:
        error, after = _ERRORS[kind]
        self.target.fail(operation, error, after=after, times=None if kind == "denied" else 1)

    def let_patches_change_nothing(self) -> None:
        self.target.changes_nothing = True

    def batch_submission(self) -> Submission:
        return Submission({"input1": Grant(BASE, "datasets/rows.csv", "?sig=r")}, {}, {})


def labels(target: ScoringTarget, rows: tuple[Row, ...]) -> tuple[str | None, ...]:
    """The scored labels of rows."""
    scores = target.score(rows, input="input1", output="output1")
    return tuple(row[scores.columns.index("Scored Labels")] for row in scores.rows)
