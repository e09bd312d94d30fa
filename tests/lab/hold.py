#!/usr/bin/env python3
"""Runs on the lab's host: opens outgoing connections until there are as many as asked or the kernel has no port left; holds them."""

import errno
import json
import os
import resource
import socket
import struct
import sys

most = int(sys.argv[1])
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
server = socket.create_server(("127.0.0.1", 9), backlog=4096)
held: list[socket.socket] = []
if os.fork() == 0:
    # The other ends live in a process of their own: one alone may not open so many files.
    while True:
        held.append(server.accept()[0])
        held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
server.close()
error = ""
while len(held) < most:
    client = socket.socket()
    # Close without TIME_WAIT, which would hold the ports for a minute more.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        client.connect(("127.0.0.1", 9))
    except OSError as refusal:
        error = errno.errorcode[refusal.errno or 0]
        break
    held.append(client)
print(json.dumps({"ports": [client.getsockname()[1] for client in held], "error": error}), flush=True)
sys.stdin.read()
os.kill(0, 15)
