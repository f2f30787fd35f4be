"""Messages between node and contract worker: CON-084."""

import socket
import threading

import pytest

from yunhe.contracts.worker.messages import Get, MessageError, Records, receive_from_node, receive_from_worker, send
from yunhe.limits import WORKER_MESSAGE_BYTES_MAX


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def encoded(message: Get) -> bytes:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send(ours, message)
        return theirs.recv(1 << 16)


@pytest.mark.parametrize("at", [1, 3, 4, 5, 9])
def test_con_084_message_that_comes_in_two_parts_is_waited_for(ends, at) -> None:
    ours, theirs = ends
    data = encoded(Get([b"abcdef"]))
    found = []
    reader = threading.Thread(target=lambda: found.append(receive_from_worker(ours)))
    theirs.send(data[:at])
    reader.start()
    theirs.send(data[at:])
    reader.join(10)
    assert found == [Get([b"abcdef"])]


def test_con_084_large_message_comes_whole(ends) -> None:
    ours, theirs = ends
    message = Records([bytes([i]) * 50_000 for i in range(40)])
    sender = threading.Thread(target=send, args=(theirs, message))
    sender.start()
    assert receive_from_node(ours) == message
    sender.join()


def test_con_084_second_message_before_an_answer_is_refused(ends) -> None:
    ours, theirs = ends
    theirs.send(encoded(Get([b"a"])) * 2)
    with pytest.raises(MessageError, match="before the last one was answered"):
        receive_from_worker(ours)


def test_con_084_length_over_the_limit_is_refused_before_it_comes(ends) -> None:
    ours, theirs = ends
    theirs.send((WORKER_MESSAGE_BYTES_MAX + 1).to_bytes(4, "big"))
    with pytest.raises(MessageError, match="over WORKER_MESSAGE_BYTES_MAX"):
        receive_from_worker(ours)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\0\x05abc"])
def test_con_084_message_that_ends_early_is_refused(ends, data) -> None:
    ours, theirs = ends
    theirs.send(data)
    theirs.close()
    with pytest.raises(MessageError, match="gone"):
        receive_from_worker(ours)
