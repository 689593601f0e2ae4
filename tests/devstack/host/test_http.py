"""HTTP functions of the sample app, called through the host."""

import asyncio
import concurrent.futures
import socket
import time

from devstack.host.http_functions import HttpListener
from devstack.host.http_server import Request
from devstack.host.keys import Keys


def test_a_function_sees_the_request_as_in_azure(sample):
    answer = sample.request(
        "POST", "/api/hello/Ann?color=red&color=blue&empty=", b"{}", x_test="yes"
    )

    facts = answer.json()
    assert answer.status == 200
    assert facts["name"] == "Ann"
    assert facts["query"] == {"color": "red,blue"}
    assert facts["body"] == "{}"
    assert facts["header"] == "yes"
    assert facts["function"] == "hello"
    assert facts["url"].endswith("/api/hello/Ann?color=red&color=blue&empty=")


def test_headers_and_type_of_the_answer_arrive(sample):
    answer = sample.request("GET", "/api/hello/Ann")
    assert answer.headers["X-Answer"] == "yes"
    assert answer.headers["content-type"] == "application/json"


def test_the_function_whose_name_comes_first_is_tried_first(sample):
    assert sample.request("GET", "/api/hello/world").body == b"the literal route"
    assert sample.request("GET", "/api/hello/again").json()["function"] == "hello"


def test_the_root_of_the_site_says_that_the_host_runs(sample):
    answer = sample.request("GET", "/")
    assert (answer.status, answer.body) == (200, b"the local Functions host is running")


def test_the_root_of_the_site_says_nothing_where_the_homepage_is_disabled():
    listener = HttpListener([], None, Keys("m", "f"), homepage=False)
    assert asyncio.run(listener.handle(Request("GET", "/"))).status == 204


def test_a_constraint_that_fails_is_no_route(sample):
    assert sample.request("GET", "/api/hello/4711").status == 404


def test_an_unknown_route_is_404(sample):
    assert sample.request("GET", "/api/nowhere").status == 404
    assert sample.request("GET", "/hello/Ann").status == 404


def test_a_wrong_method_is_405_and_says_which_are_allowed(sample):
    answer = sample.request("DELETE", "/api/hello/Ann")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_options_says_which_methods_are_allowed(sample):
    answer = sample.request("OPTIONS", "/api/hello/Ann")
    assert (answer.status, answer.headers["Allow"]) == (204, "GET, HEAD, POST")


def test_head_runs_the_function_and_sends_no_body(sample):
    answer = sample.request("HEAD", "/api/hello/Ann")
    assert answer.status == 200
    assert answer.body == b""
    assert int(answer.headers["Content-Length"]) > 0


def test_a_function_key_is_needed_and_may_come_either_way(sample):
    key = sample.facts["master_key"]
    assert sample.request("GET", "/api/secret").status == 401
    assert sample.request("GET", "/api/secret?code=wrong").status == 401
    assert sample.request("GET", f"/api/secret?code={key}").status == 201
    assert sample.request("GET", "/api/secret", x_functions_key=key).status == 201


def test_an_exception_is_500_and_one_line_in_the_log(sample):
    before = sample.log().count("out of order")
    answer = sample.request("GET", "/api/broken")
    assert answer.status == 500
    assert b"out of order" not in answer.body
    assert sample.log().count("out of order") == before + 1


def test_a_large_body_passes_both_ways(sample):
    body = bytes(range(256)) * 4096 * 30  # 30 MB
    assert sample.request("POST", "/api/size/a/b?echo=1", body).body == body


def test_a_body_over_the_limit_is_refused(sample):
    host, port = sample.facts["functions_url"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"POST /api/size/x HTTP/1.1\r\nContent-Length: 104857601\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_slow_functions_do_not_hold_up_others(sample):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        started = time.monotonic()
        slow = [pool.submit(sample.request, "GET", "/api/slow?seconds=1") for _ in range(5)]
        quick = sample.request("GET", "/api/hello/world")
        quick_seconds = time.monotonic() - started
        assert [s.result().body for s in slow] == [b"slept"] * 5
    assert quick.status == 200
    assert quick_seconds < 0.9
    assert time.monotonic() - started < 3


def test_admin_needs_the_master_key(sample):
    assert sample.request("GET", "/admin/host/status").status == 401
    assert sample.request("POST", "/admin/functions/nightly", b"{}").status == 401
    assert sample.request("GET", "/admin/host/ping").status == 200


def test_admin_lists_the_functions(sample):
    listed = {f["name"]: f for f in sample.admin("GET", "/admin/functions").json()}
    assert listed["hello"]["route"] == "/api/hello/{name:alpha}"
    assert listed["on_step"]["config"][0]["isSessionsEnabled"] is True
    assert sample.admin("GET", "/admin/functions/nobody").status == 404


def test_the_worker_can_be_found_at_any_time(sample):
    pid = int(sample.request("GET", "/api/worker").body)
    assert sample.status()["worker_pid"] == pid


def test_a_timer_is_fired_by_hand(sample):
    fired = sample.admin("POST", "/admin/functions/nightly?wait=true", {})
    assert (fired.status, fired.json()) == (200, {"outcome": "returned"})
    assert len(sample.records("nightly", past_due=False)) == 1


def test_a_message_is_handed_in_by_hand(sample):
    given = {"input": '{"raise": "by hand"}'}
    fired = sample.admin("POST", "/admin/functions/on_request?wait=true", given)
    assert fired.status == 500
    assert fired.json()["error_type"] == "ValueError"
    assert fired.json()["error"] == "by hand"


def test_without_waiting_a_fired_function_is_accepted(sample):
    assert sample.admin("POST", "/admin/functions/nightly", {}).status == 202
    sample.await_records(1, "nightly")
