"""Python's ONNX Runtime and sentence-transformers as peers of `bench encode`: the same texts, model and threads.

    python3 -m pip install torch transformers onnx onnxruntime sentence-transformers

Besides what every peer says (side.py):

    -> {"setup": {"model": "FOLDER", "engine": "onnxruntime", "threads": 2, "maxLength": 256, "folder": "FOR THE EXPORT"}}
    <- {"ready": {"bytes": 1, "versions": {}}}
    -> {"queries": {"texts": ["...", ...]}}                 one after another, each timed by itself
    <- {"timed": {"seconds": [0.004, ...]}}
    -> {"batch": {"texts": ["...", ...], "size": 32}}       all of them, in batches of this size
    <- {"timed": {"seconds": 1.5, "bytes": 1, "peakBytes": 1}}
    -> {"vectors": {"texts": ["...", ...]}}                 not timed: to see that both sides compute the same
    <- {"vectors": [[0.1, ...], ...]}

Engines: `onnxruntime` runs an export of the model as it is; `onnxruntime-fused` lets onnxruntime's own optimiser for
transformers go over it first (fused attention and layer normalisation); `sentence-transformers` is PyTorch. Times hold the
tokenizer too, and batches are sorted by length on each side, as sentence-transformers does by itself.
"""

import importlib.metadata
import json
import sys
import time
import warnings
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))
from side import peak, resident, serve  # noqa: E402

INSTALL = "python3 -m pip install torch transformers onnx onnxruntime sentence-transformers"


def export(model: str, to: Path, fused: bool) -> None:
    """From tokens to normalised embeddings, in a process of its own so that PyTorch's memory is not counted here."""
    import multiprocessing

    process = multiprocessing.get_context("spawn").Process(target=export_here, args=(model, to, fused))
    process.start()
    process.join()
    if process.exitcode != 0:
        raise SystemExit(f"The export of {model} failed.")


def export_here(model: str, to: Path, fused: bool) -> None:
    import torch
    from transformers import AutoModel

    warnings.simplefilter("ignore")
    cls = json.loads((Path(model) / "1_Pooling/config.json").read_text())["pooling_mode_cls_token"]

    class Embedder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = AutoModel.from_pretrained(model, add_pooling_layer=False, attn_implementation="eager").eval()

        def forward(self, input_ids, attention_mask):
            hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            kept = attention_mask.unsqueeze(-1).to(hidden.dtype)
            vectors = hidden[:, 0] if cls else (hidden * kept).sum(1) / kept.sum(1)
            return torch.nn.functional.normalize(vectors, dim=-1)

    example = torch.ones(2, 5, dtype=torch.long)
    names, axes = ["input_ids", "attention_mask"], {0: "n", 1: "s"}
    # The exporter that needs nothing but PyTorch.
    torch.onnx.export(
        Embedder(), (example, example), str(to), input_names=names, output_names=["embeddings"],
        dynamic_axes={name: axes for name in names}, opset_version=17, dynamo=False,
    )  # fmt: skip
    if fused:
        from onnxruntime.transformers import optimizer

        bert = json.loads((Path(model) / "config.json").read_text())
        done = optimizer.optimize_model(str(to), "bert", num_heads=bert["num_attention_heads"], hidden_size=bert["hidden_size"], opt_level=1)
        done.save_model_to_file(str(to))


class OnnxRuntime:
    packages = ("onnxruntime", "tokenizers")

    def __init__(self, model, threads, maxLength, folder, fused=False):
        import numpy
        import onnxruntime
        from tokenizers import Tokenizer

        self.numpy, path = numpy, Path(folder) / f"peer{'-fused' if fused else ''}.onnx"
        if not path.exists():
            export(model, path, fused)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
        self.tokenizer.enable_truncation(maxLength)
        self.tokenizer.enable_padding()

    def encode(self, texts, size):
        vectors = [None] * len(texts)
        order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            tokens = self.tokenizer.encode_batch([texts[at] for at in batch])
            feeds = {"input_ids": [t.ids for t in tokens], "attention_mask": [t.attention_mask for t in tokens]}
            [found] = self.session.run(None, {name: self.numpy.array(rows, dtype=self.numpy.int64) for name, rows in feeds.items()})
            for at, vector in zip(batch, found):
                vectors[at] = vector
        return vectors


class SentenceTransformers:
    packages = ("sentence-transformers", "torch")

    def __init__(self, model, threads, maxLength, folder):
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(threads)
        self.model = SentenceTransformer(model, device="cpu")
        self.model.max_seq_length = maxLength

    def encode(self, texts, size):
        return self.model.encode(texts, batch_size=size, show_progress_bar=False)


ENGINES = {
    "onnxruntime": (OnnxRuntime, {}),
    "onnxruntime-fused": (OnnxRuntime, {"fused": True}),
    "sentence-transformers": (SentenceTransformers, {}),
}


def set_up(engine, **given):
    make, more = ENGINES[engine]
    peer = make(**given, **more)
    return peer, {"bytes": resident(), "versions": {name: importlib.metadata.version(name) for name in make.packages}}


def queries(engine, texts):
    seconds = []
    for text in texts:
        began = time.perf_counter()
        engine.encode([text], 1)
        seconds.append(time.perf_counter() - began)
    return "timed", {"seconds": seconds}


def batch(engine, texts, size):
    began = time.perf_counter()
    engine.encode(texts, size)
    return "timed", {"seconds": time.perf_counter() - began, "bytes": resident(), "peakBytes": peak()}


def vectors(engine, texts):
    return "vectors", [[float(x) for x in vector] for vector in engine.encode(texts, 32)]


if __name__ == "__main__":
    serve(set_up, {"queries": queries, "batch": batch, "vectors": vectors}, INSTALL)
