"""The tables of the samples: two that ship with scikit-learn, and two that are made here.

The made ones have few columns, so that a declaration with smoke rows stays readable: customers who
leave (`churn`), and a day's sales of a shop (`sales`). They are the same rows each time.
"""

from __future__ import annotations

import random
from math import exp

from devstack.studio.learning import libraries
from devstack.studio.learning.tables import Cell, Table

ROWS = 600
CHURN = ("age", "tenure", "calls", "bill")
SALES = ("weekday", "temperature", "promotion")


def sample_table(name: str, label: str) -> Table:
    """The whole table of a sample; its label column comes last."""
    made = {"churn": churn, "sales": sales}
    return made[name](label, ROWS, seed=1) if name in made else _shipped(name, label)


def churn(label: str, rows: int, seed: int) -> Table:
    """Customers: who calls often and has not been here for long, leaves (1)."""
    chance = random.Random(seed)

    def customer() -> list[Cell]:
        age, tenure = chance.randint(18, 80), chance.randint(0, 20)
        calls, bill = chance.randint(0, 9), chance.randint(10, 120)
        lean = 0.9 * (calls - 4.5) - 0.35 * (tenure - 8) + 0.015 * (bill - 65)
        leaves = chance.random() < 1 / (1 + exp(-lean))
        return [str(age), str(tenure), str(calls), str(bill), str(int(leaves))]

    return Table((*CHURN, label), [customer() for _ in range(rows)])


def sales(label: str, rows: int, seed: int) -> Table:
    """Days of a shop: weekday from 1 (Monday), degrees, whether something was on offer."""
    chance = random.Random(seed)

    def day() -> list[Cell]:
        weekday, degrees = chance.randint(1, 7), chance.randint(-5, 32)
        promotion = int(chance.random() < 0.3)
        sold = 180 + 25 * weekday + 4 * degrees + 90 * promotion + chance.gauss(0, 20)
        return [str(weekday), str(degrees), str(promotion), str(round(sold))]

    return Table((*SALES, label), [day() for _ in range(rows)])


def _shipped(name: str, label: str) -> Table:
    libraries.load()
    from sklearn.datasets import load_breast_cancer, load_diabetes

    loaded = {"cancer": load_breast_cancer, "diabetes": load_diabetes}[name]()
    columns = (*(str(column) for column in loaded.feature_names), label)
    rows: list[list[Cell]] = [
        [*(repr(float(cell)) for cell in row), _number(target)]
        for row, target in zip(loaded.data, loaded.target, strict=True)
    ]
    return Table(columns, rows)


def _number(target: object) -> str:
    number = float(str(target))
    return str(int(number)) if number.is_integer() else repr(number)
