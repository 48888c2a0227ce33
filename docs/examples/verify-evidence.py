"""Checks a folder of evidence with nothing of Pawl: python verify-evidence.py FOLDER ledger.vkey

Needs: pip install cryptography
"""

import base64
import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

folder, vkey = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text().strip()
key = Ed25519PublicKey.from_public_bytes(base64.b64decode(vkey.split("+", 2)[2])[1:])

envelope = json.loads((folder / "statement.json").read_bytes())
payload_type, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
signed = b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type, len(payload), payload)
key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)  # raises InvalidSignature

statement = json.loads(payload)
sealed = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
found = {
    path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
    for path in folder.rglob("*")
    if path.is_file() and path.name != "statement.json"
}
wrong = sorted(name for name in sealed.keys() | found.keys() if sealed.get(name) != found.get(name))
about = statement["predicate"]
print(f"{about['cycle']} of {about['service']}: {about['outcome']}, {len(sealed)} files, complete: {about['complete']}")
sys.exit(f"changed, missing or added: {', '.join(wrong)}" if wrong else 0)
