"""What the peers of the benchmarks have in common: one JSON object a line, in and out, so that two sides take turns in one run.

    -> {"setup": {...}}    <- {"ready": {...}}, or {"missing": {"package": "torch", "install": "python3 -m pip install ..."}}
    -> {"close": {}}

and between them what each peer says of itself.
"""

import json
import os
import resource
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # models lie on the disk


def resident():
    """Bytes of memory now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def peak():
    """The most since the process began. Linux says kilobytes, macOS bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def answer(name, value):
    print(json.dumps({name: value}), flush=True)


def serve(set_up, orders, install):
    """`set_up` makes the peer and says that it is ready; of `orders` each answers with a name and a value."""
    peer = None
    for line in sys.stdin:
        [(order, given)] = json.loads(line).items()
        if order == "close":
            return
        if order == "setup":
            try:
                peer, ready = set_up(**given)
            except ImportError as missing:
                return answer("missing", {"package": missing.name, "install": install})
            answer("ready", ready)
        else:
            answer(*orders[order](peer, **given))
