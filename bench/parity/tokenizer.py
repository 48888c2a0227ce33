"""Writes test/fixtures/ml/odd-texts.json: what Hugging Face's tokenizers make of texts that nobody writes.

    python3 -m pip install tokenizers
    python3 bench/parity/tokenizer.py                              # with the tokenizer of test/fixtures/ml/tiny-bert
    python3 bench/parity/tokenizer.py --model FOLDER --out FILE    # the same with any model's

Marks and punctuation whose class changed since Unicode 3.2 are left out: see ml/tokenizer/preparation.ts.
"""

import argparse
import json
import random
import unicodedata
from pathlib import Path

from tokenizers import Tokenizer

FIXTURES = Path(__file__).parent.parent.parent / "test/fixtures/ml"
RANGES = [(0x20, 0x7F), (0, 0x20), (0x80, 0x250), (0x300, 0x600), (0x600, 0x2000), (0x2000, 0x2C00), (0x3000, 0xA000)]
RANGES += [(0xAC00, 0xD7A4), (0xE000, 0xE010), (0xF900, 0x10000), (0x1F300, 0x1F650), (0x20000, 0x2CEB0), (0x2F800, 0x2FA20)]
SPECIAL = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "ΟΔΟΣ", "İstanbul", "ﬁ", "é", "é", "👩‍👩‍👧", "a" * 101, "\ufeff", "\u00ad"]


def settled(character):
    old, new = unicodedata.ucd_3_2_0.category(character), unicodedata.category(character)
    return old == new or (old == "Cn" and new[0] in "LSN")


def odd_text(draw, words):
    def piece():
        kind = draw.random()
        if kind < 0.35:
            return draw.choice(words) + draw.choice([" ", "", "-", "\n", "  "])
        if kind < 0.42:
            return draw.choice(SPECIAL)
        character = chr(draw.randrange(*draw.choice(RANGES)))
        return character if settled(character) else " "

    return "".join(piece() for _ in range(draw.randrange(1, 18)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=FIXTURES / "tiny-bert")
    parser.add_argument("--out", type=Path, default=FIXTURES / "odd-texts.json")
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.no_padding()
    words = [word.removeprefix("##") for word in tokenizer.get_vocab() if word.removeprefix("##").isalpha()]
    draw = random.Random(20261121)
    words.sort()

    tokenizer.no_truncation()
    texts = ["", " ", "\u0000", "Σ", "𠀀𠀁 a𠀂b"] + [odd_text(draw, words) for _ in range(400)]
    singles = [[text, tokenizer.encode(text).ids] for text in texts]
    pairs = []
    for _ in range(250):
        first, second = (" ".join(draw.choice(words) for _ in range(draw.randrange(0, 12))) for _ in range(2))
        length = draw.randrange(4, 24)
        tokenizer.enable_truncation(length)
        encoded = tokenizer.encode(first, second)
        alone = tokenizer.encode(first).ids
        pairs.append({"texts": [first, second], "maxLength": length, "ids": encoded.ids, "types": encoded.type_ids, "alone": alone})
    lines = [",\n".join(json.dumps(one) for one in some) for some in (singles, pairs)]
    arguments.out.write_text(f'{{"singles": [\n{lines[0]}\n],\n"pairs": [\n{lines[1]}\n]}}\n')


main()
