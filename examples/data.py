"""Write a table to play with: `python examples/data.py churn day1.csv`.

churn: customers (age, tenure, calls, bill) and whether they left. sales: days of a shop (weekday,
temperature, promotion) and what was sold. `--shuffled` is a broken export, in which each row has
somebody else's result; `--seed` gives other rows.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from devstack.studio.learning.tables import write_table
from devstack.studio.sample_tables import churn, sales

TABLES = {"churn": (churn, "churned"), "sales": (sales, "sold")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--shuffled", action="store_true")
    wanted = parser.parse_args()
    make, label = TABLES[wanted.table]
    table = make(label, wanted.rows, wanted.seed)
    if wanted.shuffled:
        results = [row[-1] for row in table.rows]
        random.Random(wanted.seed).shuffle(results)
        for row, result in zip(table.rows, results, strict=True):
            row[-1] = result
    wanted.file.parent.mkdir(parents=True, exist_ok=True)
    wanted.file.write_bytes(write_table(table))
    print(f"wrote {len(table.rows)} rows to {wanted.file}")


if __name__ == "__main__":
    main()
