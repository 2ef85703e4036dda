"""The laboratory's own witness: pings every host of the country four times a second from one vantage,
with nothing of lastlight in between, so that what lastlight says can be held against it.

    python3 witness.py OUT ADDRESS...       until SIGTERM; a JSON line for each echo asked:
    {"at": seconds since 1970, "address": "...", "rtt": seconds, null if it never came}
"""

import json
import os
import select
import signal
import socket
import struct
import sys
import time

PERIOD_S, TIMEOUT_S = 0.25, 2.0


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def echo(ident, sequence):
    body = struct.pack("!d", time.time())
    head = struct.pack("!BBHHH", 8, 0, 0, ident, sequence)
    return struct.pack("!BBHHH", 8, 0, checksum(head + body), ident, sequence) + body


class Witness:
    def __init__(self, out, addresses):
        self.out, self.addresses = out, addresses
        self.ident = os.getpid() & 0xFFFF
        self.sequence = 0
        self.waiting = {}       # sequence: (address, asked at)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.socket.setblocking(False)

    def ask_all(self):
        for address in self.addresses:
            self.sequence = (self.sequence + 1) & 0xFFFF
            self.waiting[self.sequence] = (address, time.time())
            try:
                self.socket.sendto(echo(self.ident, self.sequence), (address, 0))
            except OSError:
                pass            # no route just now: it will count as lost

    def hear(self):
        while True:
            try:
                packet, (address, _) = self.socket.recvfrom(2048)
            except BlockingIOError:
                return
            kind, _, _, ident, sequence = struct.unpack("!BBHHH", packet[20:28])
            asked = self.waiting.get(sequence)
            if kind == 0 and ident == self.ident and asked and asked[0] == address:
                del self.waiting[sequence]
                self.write(asked, time.time() - asked[1])

    def expire(self, all_of_them=False):
        limit = time.time() - TIMEOUT_S
        for sequence, asked in list(self.waiting.items()):
            if all_of_them or asked[1] < limit:
                del self.waiting[sequence]
                self.write(asked, None)

    def write(self, asked, rtt):
        self.out.write(json.dumps({"at": asked[1], "address": asked[0], "rtt": rtt}) + "\n")

    def run(self):
        due = time.monotonic()
        while True:
            wait = due - time.monotonic()
            if wait <= 0:
                self.ask_all()
                self.expire()
                due += PERIOD_S
                continue
            if select.select([self.socket], [], [], wait)[0]:
                self.hear()


def main():
    with open(sys.argv[1], "w", buffering=1) as out:
        witness = Witness(out, sys.argv[2:])
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        witness.run()


if __name__ == "__main__":
    main()
