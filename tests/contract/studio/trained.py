"""Two models that answer differently, trained by local Studio itself."""

from __future__ import annotations

import csv
import io

from tests.contract.studio.local_studio import LocalStudio
from tests.contract.studio.studio_worlds import ClassicTraining
from tests.contract.studio.waiting import ended


def train_two(local: LocalStudio) -> None:
    lines = list(csv.reader(io.StringIO(local.download("samples/cancer.csv").decode())))
    header, rows = lines[0], lines[1:]
    turned = [[*row[:-1], str(1 - int(row[-1]))] for row in rows]
    chosen = [next(row for row in rows if row[-1] == label) for label in ("0", "1", "0")]
    local.rows = tuple(dict(zip(header[:-1], map(float, row[:-1]), strict=True)) for row in chosen)
    training = ClassicTraining(local)
    for number, table in enumerate((rows, turned), start=1):
        text = io.StringIO()
        csv.writer(text).writerows([header, *table])
        local.upload(f"contract/day{number}.csv", text.getvalue().encode())
        job_id = training.service.create_job(training.submission(f"day{number}.csv"))
        training.service.start_job(job_id)
        job = ended(training.service, job_id)
        assert job.state == "Finished", job.details
        model = local.grant(job.outputs["output1"].relative, "read")
        local.models.append(model)
        answers = [int(row[-1]) for row in chosen]
        local.expected[model.location] = tuple(
            str(one if number == 1 else 1 - one) for one in answers
        )
