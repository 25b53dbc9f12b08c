"""What a packet and a connection cost, from one end to the other: a packet is sent, forwarded and received by one thread,
with a call of its own for either. The two calls and what Python takes, about 1.6 µs, are in the figures."""
import os
import socket
import struct
import time

BATCH, WARM_UP = 32, 4
PAYLOAD = bytes(64)


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
        self.send, self.take, self.arrive = sender.send, taker.recv, arrive
        taker.settimeout(0)

    def _pass(self):
        """How many of a slice's packets arrive."""
        taken = 0
        try:
            for _ in range(BATCH):
                self.send(PAYLOAD)
                if self.arrive:
                    taken += len(self.take(100)) == len(PAYLOAD)
        except BlockingIOError:
            pass
        return taken

    def _has_one(self):
        try:
            return bool(self.take(100))
        except BlockingIOError:
            return False

    def nanoseconds(self, slices):
        """One's, until its taker has it: in the best of so many slices."""
        times, expected = [], BATCH if self.arrive else 0
        for number in range(WARM_UP + slices):
            begin = time.perf_counter_ns()
            taken = self._pass()
            elapsed = time.perf_counter_ns() - begin
            if taken == expected and not self._has_one() and number >= WARM_UP:
                times.append(elapsed)
        assert times, f"of {BATCH} packets not {expected} arrive"
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
