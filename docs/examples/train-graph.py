"""Trains three steps with a training graph that Pawl wrote, in Python's ONNX Runtime; or holds its gradients against PyTorch's.

    python -m pip install onnxruntime-gpu numpy        (or onnxruntime, or torch where there is no ONNX Runtime for the device)
    python train-graph.py GRAPH_FOLDER MODEL_FOLDER [--torch]

The graph holds forward and backward, and reads the frozen weights out of the model's own model.safetensors; batch.safetensors
holds a batch and the adapter to start from, training.json the plan and the losses that Pawl itself came to.
"""

import json
import math
import sys
import time
from pathlib import Path

import numpy as np

GRAPH, MODEL = Path(sys.argv[1]), Path(sys.argv[2])
PLAN = json.loads((GRAPH / "training.json").read_text())
TYPES = {"F32": np.float32, "I64": np.int64}


def safetensors(path):
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    cut = lambda t: data[start + t["data_offsets"][0] : start + t["data_offsets"][1]]
    return {name: np.frombuffer(cut(t), TYPES[t["dtype"]]).reshape(t["shape"]) for name, t in header.items()}


def off(found, expected):
    """The largest relative difference of any tensor."""
    return max(float(np.linalg.norm(found[name] - want) / np.linalg.norm(want)) for name, want in expected.items())


def adamw(parameters, gradients, means, step):
    norm = math.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients.values()))
    clip, rate = min(1, PLAN["clip"] / (norm + 1e-6)), PLAN["learningRate"]
    for name, gradient in gradients.items():
        first, second = means.setdefault(name, [0, 0])
        first, second = 0.9 * first + 0.1 * clip * gradient, 0.999 * second + 0.001 * (clip * gradient) ** 2
        means[name] = [first, second]
        move = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        parameters[name] = (parameters[name] * (1 - rate * PLAN["weightDecay"]) - rate * move).astype(np.float32)


def with_onnxruntime(batch, expected):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(MODEL.resolve()))
    wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    session = onnxruntime.InferenceSession((GRAPH / "training.onnx").read_bytes(), options, providers=providers)
    names = [output.name for output in session.get_outputs()]
    losses, seconds, means, first = [], [], {}, None
    for step in range(1, 4):
        began = time.perf_counter()
        results = dict(zip(names, session.run(names, batch)))
        seconds.append(time.perf_counter() - began)
        losses.append(float(results.pop("loss")))
        gradients = {name.removeprefix("gradient of "): value for name, value in results.items()}
        first = off(gradients, expected) if step == 1 else first
        adamw(batch, gradients, means, step)
    return {"by": f"onnxruntime {onnxruntime.__version__}", "on": session.get_providers()[0], "losses": losses, "gradients": first, "seconds": seconds}


def with_torch(batch, expected):
    """BERT and the adapter written out in PyTorch, which finds the gradients by itself."""
    import torch
    import torch.nn.functional as F

    device = "cuda" if torch.cuda.is_available() else "cpu"
    config = json.loads((MODEL / "config.json").read_text())
    on = lambda tensors: {name: torch.tensor(value, device=device) for name, value in tensors.items()}
    weights, fed = on(safetensors(MODEL / "model.safetensors")), on(batch)
    learnt = {name: fed[name].requires_grad_() for name in expected}
    mask, heads, places = fed["mask"], config["num_attention_heads"], fed["places"]

    def linear(x, name):
        y = F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
        lower, upper = (learnt.get(f"base_model.model.{name}.lora_{which}.weight") for which in "AB")
        return y if lower is None else y + PLAN["loraScale"] * F.linear(F.linear(x, lower), upper)

    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], config["layer_norm_eps"])

    def grid(tokens):
        return torch.zeros(mask.numel(), tokens.shape[1], device=device).index_copy(0, places, tokens).reshape(*mask.shape, -1)

    def attention(x, name):
        split = lambda part: grid(linear(x, f"{name}.{part}")).unflatten(-1, (heads, -1)).transpose(1, 2)
        query, key, value = split("query"), split("key"), split("value")
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]) + ((mask - 1) * 1e9)[:, None, None]
        return (scores.softmax(-1) @ value).transpose(1, 2).flatten(2).flatten(0, 1)[places]

    table = lambda name, rows: weights[f"embeddings.{name}_embeddings.weight"][fed[rows]]
    x = norm(table("word", "ids") + table("position", "positions") + table("token_type", "types"), "embeddings.LayerNorm")
    for n in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{n}"
        x = norm(x + linear(attention(x, f"{layer}.attention.self"), f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
        x = norm(x + linear(F.gelu(linear(x, f"{layer}.intermediate.dense")), f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    vectors = F.normalize(grid(x).sum(1) / mask.sum(1, keepdim=True), dim=-1)
    scores = PLAN["scale"] * (fed["pick.queries"] @ vectors) @ (fed["pick.candidates"] @ vectors).T
    loss = -((scores - 1e9 * fed["target.excluded"]).log_softmax(-1) * fed["target.own"]).sum()
    loss.backward()
    gradients = {name: value.grad.cpu().numpy() for name, value in learnt.items()}
    return {"by": f"torch {torch.__version__}", "on": device, "losses": [loss.item()], "gradients": off(gradients, expected)}


def main():
    batch, expected = safetensors(GRAPH / "batch.safetensors"), safetensors(GRAPH / "gradients.safetensors")
    try:
        result = with_torch(batch, expected) if "--torch" in sys.argv else with_onnxruntime(batch, expected)
    except ModuleNotFoundError as missing:
        if missing.name != "onnxruntime":
            raise
        result = with_torch(batch, expected)
    result["lossesOff"] = max(abs(found / want - 1) for found, want in zip(result["losses"], PLAN["losses"]))
    print(json.dumps(result))
    # A device multiplies in another order, and some in fewer bits (TF32).
    sys.exit(result["lossesOff"] > 1e-3 or result["gradients"] > 1e-2)


main()
