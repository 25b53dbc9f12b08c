"""What a packet and a connection cost, from one end to the other. Packets go in batches, by one system call each: what
Python takes isn't in the figures."""
import ctypes
import os
import socket
import struct
import time

from place import libc

BATCH, WARM_UP = 32, 4


class Vector(ctypes.Structure):
    """struct iovec."""
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr; the last two are an int, and what fills it up."""
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("vectors", ctypes.c_void_p),
                ("vector_count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_size_t), ("length", ctypes.c_size_t)]


class Pinned:
    """This thread on one processor: who sends is who takes, and the kernel forwards within the call that sends."""

    def __enter__(self):
        self.before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {max(self.before)})

    def __exit__(self, *_):
        os.sched_setaffinity(0, self.before)


def datagram_socket(namespace, local):
    with namespace:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(local)
    return made


class Packets:
    """From a connected socket to another; `arrive` says whether they are to."""

    def __init__(self, sender, taker, arrive=True):
        self.sender, self.taker, self.taken = sender.fileno(), taker.fileno(), BATCH if arrive else 0
        self.bytes = ctypes.create_string_buffer(64)
        self.vector = Vector(ctypes.addressof(self.bytes), 64)
        self.messages = (Message * BATCH)()
        for message in self.messages:
            message.vectors, message.vector_count = ctypes.addressof(self.vector), 1

    def _pass(self):
        sent = libc.sendmmsg(self.sender, self.messages, BATCH, 0)
        return sent, max(0, libc.recvmmsg(self.taker, self.messages, BATCH, socket.MSG_DONTWAIT, None))

    def nanoseconds(self, slices):
        """One's, until its taker has it: in the best of so many slices."""
        times = []
        for number in range(WARM_UP + slices):
            begin = time.perf_counter_ns()
            passed = self._pass()
            elapsed = time.perf_counter_ns() - begin
            if passed == (BATCH, self.taken) and number >= WARM_UP:
                times.append(elapsed)
        assert times, f"of {BATCH} packets {passed[1]} arrive, instead of {self.taken}"
        return min(times) / BATCH


class Connections:
    """New ones, each reset at once."""

    def __init__(self, client, service, remote):
        self.client, self.remote = client, remote
        with service:
            self.listener = socket.create_server(remote)

    def nanoseconds(self, slices):
        """Until the client is connected: the best of so many."""
        times = []
        for _ in range(slices):
            with self.client:
                made = socket.socket()
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            begin = time.perf_counter_ns()
            made.connect(self.remote)
            times.append(time.perf_counter_ns() - begin)
            made.close()
            self.listener.accept()[0].close()
        return min(times)
