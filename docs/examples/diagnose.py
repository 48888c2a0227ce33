"""A stage of your own, in Python: the diagnosis of a cycle.

pawl.yaml:
    stages:
      diagnose: { activity: diagnoseInPython, taskQueue: my-python, timeout: 10m, heartbeat: 10s }

Run it with:  python diagnose.py <home> [<address of Temporal>]
"""

import asyncio
import hashlib
import json
import sys
from pathlib import Path

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

HOME = Path(sys.argv[1])
ADDRESS = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1:7233"


def put_json(value: object) -> dict:
    """Content-addressed and written by rename: putting the same twice is putting it once."""
    data = json.dumps(value, sort_keys=True).encode()
    digest = hashlib.sha256(data).hexdigest()
    path = HOME / ".pawl" / "artifacts" / "sha256" / digest[:2] / digest
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".python")
        temporary.write_bytes(data)
        temporary.rename(path)
    return {"uri": f"artifact:sha256/{digest}", "sha256": digest}


@activity.defn(name="diagnoseInPython")
async def diagnose(order: dict) -> dict:
    breaches = [finding for finding in order["findings"] if finding["state"] == "breach"]
    for done, finding in enumerate(breaches):
        activity.heartbeat({"done": done})  # on progress, so that a worker that died is noticed
    worst = max((finding["n"] for finding in breaches), default=0)
    return {
        "summary": f"{len(breaches)} gates are breached, seen from Python.",
        "evidence": put_json({"cycle": order["cycle"], "key": order["key"], "breaches": breaches}),
        "lost": len(breaches),
        "queries": worst,
    }


async def main() -> None:
    client = await Client.connect(ADDRESS)
    await Worker(client, task_queue="my-python", activities=[diagnose]).run()


asyncio.run(main())
