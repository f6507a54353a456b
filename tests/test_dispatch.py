"""Threads that send: one for each channel, whose end is always told."""

import threading

import pytest

from outreach.dispatch import Embedded
from outreach.errors import Unusable


@pytest.fixture
def made():
    """Makes an Embedded, and closes it."""
    all_of_them = []

    def make(send):
        all_of_them.append(Embedded(send))
        return all_of_them[-1]

    yield make
    for one in all_of_them:
        one.close()


def test_a_channel_that_is_still_at_it_is_left_to_it(made):
    begun, go_on, calls = threading.Event(), threading.Event(), []

    def send(channel):
        calls.append(channel)
        begun.set()
        assert go_on.wait(10)

    dispatch = made(send)
    dispatch.ring(["x"])
    assert begun.wait(10)
    dispatch.ring(["x", "x"])
    dispatch.ring(["telegram"])
    go_on.set()
    dispatch.wait()
    dispatch.ring(["x"])
    dispatch.wait()
    assert calls == ["x", "telegram", "x"]


def test_what_ends_a_channel_is_logged_though_nobody_waits_and_the_next_ring_begins_again(
    made, caplog
):
    calls = []

    def send(channel):
        calls.append(channel)
        if len(calls) == 1:
            raise Unusable("the database is locked by another program")

    dispatch = made(send)
    dispatch.ring(["x"])
    with pytest.raises(Unusable):
        dispatch.wait()
    assert "sending on x ended" in caplog.text
    assert "the database is locked by another program" in caplog.text
    dispatch.ring(["x"])
    dispatch.wait()
    assert calls == ["x", "x"]


def test_one_channel_s_failure_ends_no_other(made):
    sent = []

    def send(channel):
        if channel == "broken":
            raise RuntimeError("unforeseen")
        sent.append(channel)

    dispatch = made(send)
    dispatch.ring(["broken", "x", "telegram"])
    with pytest.raises(RuntimeError):
        dispatch.wait()
    dispatch.close()
    assert sorted(sent) == ["telegram", "x"]


def test_closing_finishes_what_is_being_sent(made):
    go_on, sent = threading.Event(), []

    def send(channel):
        assert go_on.wait(10)
        sent.append(channel)

    dispatch = made(send)
    dispatch.ring(["x"])
    threading.Timer(0.05, go_on.set).start()
    dispatch.close()
    assert sent == ["x"]
