"""Checks a proof of `pawl audit prove ROW`: python verify-proof.py proof.json (RFC 6962, nothing but hashlib)"""
import base64, hashlib, json, sys

proof = json.load(open(sys.argv[1]))
sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
node, last = proof["index"], proof["size"] - 1
root = sha(b"\x00", proof["leaf"].encode())
for sibling in map(bytes.fromhex, proof["hashes"]):
    if node % 2 or node == last:
        root = sha(b"\x01", sibling, root)
        while node % 2 == 0 and node:
            node, last = node // 2, last // 2
    else:
        root = sha(b"\x01", root, sibling)
    node, last = node // 2, last // 2
_, size, signed, *_ = proof["checkpoint"].split("\n")
same = all(proof["row"][name] == value for name, value in json.loads(proof["leaf"]).items())
good = same and last == 0 and int(size) == proof["size"] and base64.b64decode(signed) == root
sys.exit(print("the row is in the ledger of this checkpoint") if good else "THIS PROOF DOES NOT HOLD")
