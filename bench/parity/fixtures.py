"""Writes what ml/ is compared with: test/fixtures/ml, or the same for any model.

    python3 -m pip install torch transformers peft safetensors
    python3 bench/parity/fixtures.py                              # makes test/fixtures/ml anew, from its own tiny-bert
    python3 bench/parity/fixtures.py --model FOLDER --out FOLDER  # the same of a real model, as `bench parity` does

The tiny model itself is what test/support/tiny-model.ts writes:

    node -e "import('./test/support/tiny-model.ts').then((m) => m.tinyModel('test/fixtures/ml/tiny-bert'))"

Every draw is seeded, but other versions of PyTorch may round otherwise: look at `noise` (what PyTorch's own float32 differs from its
float64 by) before a change of the fixtures is believed.
"""

import argparse
import importlib.metadata
import json
from pathlib import Path

import reference

HERE = Path(__file__).parent
FIXTURES = HERE.parent.parent / "test/fixtures/ml"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=FIXTURES / "tiny-bert")
    parser.add_argument("--out", type=Path, default=FIXTURES)
    parser.add_argument("--adapters", type=Path, help="only writes embeddings.safetensors of the adapters in this folder, beside them")
    arguments = parser.parse_args()
    if arguments.adapters:
        return reference.read_adapters(reference.Model(arguments.model), arguments.adapters)
    out, model = arguments.out, reference.Model(arguments.model)
    out.mkdir(parents=True, exist_ok=True)

    reference.write(out, "tokenizer", reference.tokenizer_ids(model))
    for name, part in (("embeddings", reference.embeddings), ("gradients", reference.gradients), ("training", reference.training)):
        print(name, flush=True)
        reference.write(out, name, *part(model))
    print("adapters", flush=True)
    reference.write(out, "adapters", *reference.adapters(model, out / "adapters"))
    print("cross-encoder", flush=True)
    reference.write(out, "cross-encoder", *reference.cross_encoder(model, out / "adapters/cross-encoder"))
    reference.write(out, "losses", reference.losses())
    versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft", "tokenizers", "numpy")}
    reference.write(out, "versions", versions)
    print(json.dumps(versions))


main()
