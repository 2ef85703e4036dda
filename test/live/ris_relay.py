#!/usr/bin/env python3
"""ris_relay.py FILE: a small RIS Live of one's own.

Follows an MRT file that a BGP daemon appends to, and serves what comes in as RIS Live does: one line
of JSON a message, over HTTP, with the raw bytes (https://ris-live.ripe.net/manual/). So any router can
stand in for RIPE's collectors where a program that reads RIS Live is tried:

  BIRD    mrtdump "FILE";  and in the protocol:  mrtdump { states, messages };
  FRR     dump bgp all FILE
  GoBGP   [[mrt-dump]] of dump-type "updates"

Of MRT (RFC 6396) it reads BGP4MP and BGP4MP_ET: messages that were heard, and changes of sessions.
Like the service, it tells what comes in while somebody listens and nothing from before; --from-start
tells each who connects the whole file first, --now with times moved so that the first is now.
"""

import argparse
import collections
import http.server
import json
import os
import queue
import socket
import struct
import sys
import threading
import time
import urllib.parse

BGP4MP, BGP4MP_ET = 16, 17
STATE_CHANGES = {0: False, 5: True}  # subtype: with 4-byte ASNs
MESSAGES = {1: False, 4: True, 8: False, 9: True}  # those with _LOCAL were sent, not heard
MESSAGE_TYPES = {1: "OPEN", 2: "UPDATE", 3: "NOTIFICATION", 4: "KEEPALIVE"}
OPEN_CONFIRM, ESTABLISHED = 5, 6
RECORD_MAX = 1 << 20
QUEUE_MAX = 100_000


class Record:
    """What one record says of a peer: its message, or a change of its state."""

    def __init__(self, seconds, peer, asn):
        self.seconds, self.peer, self.asn = seconds, peer, asn
        self.raw = None
        self.states = None


def read_peer(body, has_as4):
    """The peer's address and AS, and what is left of the body."""
    size = 4 if has_as4 else 2
    asn = int.from_bytes(body[:size], "big")
    family = struct.unpack_from(">H", body, 2 * size + 2)[0]
    at, length = 2 * size + 4, {1: 4, 2: 16}[family]
    address = socket.inet_ntop(socket.AF_INET if family == 1 else socket.AF_INET6, body[at:at + length])
    return address, asn, body[at + 2 * length:]


def decode(kind, subtype, seconds, body):
    """A Record, or None if it is of no use here."""
    if kind not in (BGP4MP, BGP4MP_ET):
        return None
    if kind == BGP4MP_ET:
        seconds += struct.unpack_from(">I", body)[0] / 1e6
        body = body[4:]
    if subtype in STATE_CHANGES:
        peer, asn, rest = read_peer(body, STATE_CHANGES[subtype])
        record = Record(seconds, peer, asn)
        record.states = struct.unpack_from(">HH", rest)
        return record
    if subtype not in MESSAGES:
        return None
    peer, asn, rest = read_peer(body, MESSAGES[subtype])
    record = Record(seconds, peer, asn)
    record.raw = rest
    return record if len(rest) >= 19 else None


def records_of(stream, is_over):
    """All records of a file that may grow while it is read; waits for more until is_over() says so."""
    pending = b""
    while True:
        if len(pending) >= 12:
            seconds, kind, subtype, length = struct.unpack_from(">IHHI", pending)
            if length > RECORD_MAX:
                raise ValueError("the file is no MRT: a record of %d bytes" % length)
            if len(pending) >= 12 + length:
                try:
                    record = decode(kind, subtype, seconds, pending[12:12 + length])
                except (struct.error, KeyError, ValueError):
                    record = None  # a damaged record is passed over
                pending = pending[12 + length:]
                if record:
                    yield record
                continue
        more = stream.read(65536)
        pending += more
        if not more:
            if is_over():
                return
            time.sleep(0.02)


class Narrator:
    """Makes lines of records."""

    def __init__(self, host):
        self.host = host
        self.order = collections.Counter()
        self.time = None

    def line(self, record, shift=0.0):
        """A line of JSON with its end, or None: not all that a daemon writes down is told."""
        data = {}
        if record.states:
            before, after = record.states
            if after == OPEN_CONFIRM:
                data = {"type": "STATE", "state": "connected"}
            elif before == ESTABLISHED:
                data = {"type": "STATE", "state": "down"}
            else:
                return None
        elif record.raw[18] in MESSAGE_TYPES:
            data = {"type": MESSAGE_TYPES[record.raw[18]], "raw": record.raw.hex().upper()}
        else:
            return None
        ms = int((record.seconds + shift) * 100) * 10  # the service counts in steps of 10 ms
        if ms != self.time:
            self.order.clear()
            self.time = ms
        number = self.order[record.peer]
        self.order[record.peer] += 1
        about = {"timestamp": ms / 1000, "peer": record.peer, "peer_asn": str(record.asn),
                 "id": "%s-%012x%04x" % (record.peer, ms, number), "host": self.host}
        return json.dumps({"type": "ris_message", "data": {**about, **data}}, separators=(",", ":")) + "\n"


class Audience:
    """Everybody who listens, each with a queue of lines."""

    def __init__(self):
        self.lock = threading.Lock()
        self.queues = []

    def join(self):
        lines = queue.Queue(QUEUE_MAX)
        with self.lock:
            self.queues.append(lines)
        return lines

    def leave(self, lines):
        with self.lock:
            if lines in self.queues:
                self.queues.remove(lines)

    def tell(self, line):
        with self.lock:
            for lines in list(self.queues):
                try:
                    lines.put_nowait(line)
                except queue.Full:  # as the service does it: an error is the last that it tells
                    self.queues.remove(lines)
                    lines.get_nowait()
                    lines.put_nowait(None)


def error_line(text):
    return json.dumps({"type": "ris_error", "data": {"message": text}}) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, form, *args):
        pass

    def chunk(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def subscription(self):
        """What is asked for, or None with an answer."""
        try:
            wanted = json.loads(self.headers.get("X-RIS-Subscribe", "{}"))
            known = {"host", "type", "peer", "socketOptions"}
            if not isinstance(wanted, dict) or set(wanted) - known:
                raise ValueError
            return wanted
        except ValueError:
            self.send_error(400, "the subscription asks for what is not here")
            return None

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        if not self.path.startswith("/v1/stream/") or query.get("format") != ["json"]:
            self.send_error(404)
            return
        wanted = self.subscription()
        if wanted is None:
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        relay = self.server.relay
        print("relay: %s listens" % query.get("client", ["somebody"])[0], flush=True)
        try:
            relay.speak(wanted, self.chunk)
        except OSError:
            pass  # nobody listens any more
        self.close_connection = True


class Relay:
    def __init__(self, options):
        self.options = options
        self.audience = Audience()

    def is_wanted(self, wanted, line):
        """A host is asked for as rrc00, and told as rrc00.ripe.net."""
        data = json.loads(line)["data"]
        names = {data["host"], data["host"].removesuffix(".ripe.net"), None}
        return wanted.get("host") in names and all(
            wanted.get(name) in (None, data[name]) for name in ("type", "peer"))

    def dress(self, wanted, line):
        """As it was asked for: with or without raw bytes."""
        if wanted.get("socketOptions", {}).get("includeRaw", True):
            return line
        message = json.loads(line)
        message["data"].pop("raw", None)
        return json.dumps(message, separators=(",", ":")) + "\n"

    def speak(self, wanted, chunk):
        lines = self.audience.join()
        try:
            if self.options.from_start:
                for line in self.whole_file():
                    if self.is_wanted(wanted, line):
                        chunk(self.dress(wanted, line))
            while True:
                line = lines.get()
                if line is None:
                    chunk(error_line("client too slow"))
                    return
                if self.is_wanted(wanted, line):
                    chunk(self.dress(wanted, line))
        finally:
            self.audience.leave(lines)

    def whole_file(self):
        narrator, shift = Narrator(self.options.host), None
        with open(self.options.file, "rb") as stream:
            for record in records_of(stream, lambda: True):
                if shift is None:
                    shift = time.time() - record.seconds if self.options.now else 0.0
                line = narrator.line(record, shift)
                if line:
                    yield line

    def follow(self):
        while not os.path.exists(self.options.file):
            time.sleep(0.05)
        narrator = Narrator(self.options.host)
        with open(self.options.file, "rb") as stream:
            if not self.options.whole:
                stream.seek(0, os.SEEK_END)
            for record in records_of(stream, lambda: False):
                line = narrator.line(record)
                if line:
                    self.audience.tell(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", metavar="FILE", help="the MRT file; it need not be there yet")
    parser.add_argument("--host", default="rrc99.ripe.net", help="what the collector is called (rrc99.ripe.net)")
    parser.add_argument("--listen", default="127.0.0.1", help="the address to serve at (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="the port; 0: any, which is printed")
    parser.add_argument("--from-start", action="store_true", help="tell each who connects the whole file first")
    parser.add_argument("--now", action="store_true", help="... with times moved so that the first is now")
    options = parser.parse_args()
    options.whole = not os.path.exists(options.file)  # what is written from here on is all news
    relay = Relay(options)
    server = http.server.ThreadingHTTPServer((options.listen, options.port), Handler)
    server.daemon_threads = True
    server.relay = relay
    print("relay: http://%s:%d/v1/stream/" % server.server_address[:2], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        relay.follow()
    except KeyboardInterrupt:
        pass
    except (OSError, ValueError) as error:
        print("relay: %s" % error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
