"""What we tell the service manager that started us: ready, still alive, stopping. See sd_notify(3).

Without one, nothing is told.
"""

import os
import socket
from contextlib import suppress


def tell(state: str) -> None:
    """ "READY=1", "WATCHDOG=1", "STOPPING=1". Never fails: nobody may be there to hear it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract address, which has a zero for its first byte
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(1)
        manager.connect(address)
        manager.sendall(state.encode())
