"""Receipts of announced blobs."""

import pytest

from devstack.host.receipts import Receipt, Receipts

ONE = Receipt("f", "datasets", "a.csv", "0x1")
TWO = Receipt("f", "datasets", "a.csv", "0x2")
OTHER = Receipt("g", "datasets", "a.csv", "0x1")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "receipts.sqlite"


@pytest.fixture
def receipts(path):
    opened = Receipts(path)
    yield opened
    opened.close()


def test_a_receipt_is_new_once(receipts):
    assert receipts.add([ONE, ONE, TWO]) == [ONE, TWO]
    assert receipts.add([ONE, OTHER]) == [OTHER]
    assert ONE in receipts


def test_what_no_function_took_is_pending_after_a_restart(receipts, path):
    receipts.add([ONE, TWO, OTHER])
    receipts.settle(ONE, "done")
    receipts.settle(OTHER, "poison")
    receipts.close()

    again = Receipts(path)

    assert again.pending() == [TWO]
    assert ONE in again
    again.close()


def test_tries_are_counted_across_a_restart(receipts, path):
    receipts.add([ONE])
    assert [receipts.count_try(ONE), receipts.count_try(ONE)] == [1, 2]
    receipts.close()
    again = Receipts(path)
    assert again.count_try(ONE) == 3
    again.close()
