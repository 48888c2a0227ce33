"""PyTorch + PEFT as the peer of `bench lora`: the same batches, threads and adapter, one step whenever it is told to.

    python3 -m pip install torch transformers peft

Besides what every peer says (side.py):

    -> {"setup": {"model": "FOLDER", "threads": 2, "rank": 8, "alpha": 16, "targets": "REGEX", "learningRate": 5e-4,
                  "weightDecay": 0.01, "clip": 1, "scale": 20, "checkpointing": false}}
    <- {"ready": {"parameters": 1, "startBytes": 1, "bytes": 1, "versions": {}}}
    -> {"step": {"ids": [[101, 102], ...], "queries": 32}}          rows: queries, their positives, then negatives
    <- {"stepped": {"seconds": 1.0, "loss": 1.0, "gradientNorm": 1.0, "bytes": 1, "peakBytes": 1}}

A step is padding, forward, backward, clipping and AdamW. Bytes are resident memory: now, and the most since the process began.
"""

import importlib.metadata
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))
from side import peak, resident, serve  # noqa: E402


class Peer:
    def __init__(self, model, threads, rank, alpha, targets, learningRate, weightDecay=0.01, clip=1.0, scale=20.0, checkpointing=False):
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModel
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.start = resident()
        self.torch, self.clip, self.scale = torch, clip, scale
        torch.set_num_threads(threads)
        torch.manual_seed(1)
        config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=targets)
        # The base model's own dropout has no counterpart on the other side, and would cost time here.
        still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        self.model = get_peft_model(AutoModel.from_pretrained(model, add_pooling_layer=False, **still), config).train()
        if checkpointing:
            self.model.gradient_checkpointing_enable({"use_reentrant": False})
            self.model.enable_input_require_grads()
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.parameters, lr=learningRate, weight_decay=weightDecay)

    def ready(self):
        versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft")}
        return {"parameters": sum(p.numel() for p in self.parameters), "startBytes": self.start, "bytes": resident(), "versions": versions}

    def step(self, ids, queries):
        torch = self.torch
        began = time.perf_counter()
        longest = max(map(len, ids))
        tokens = torch.tensor([row + [0] * (longest - len(row)) for row in ids])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
        hidden = self.model(input_ids=tokens, attention_mask=mask).last_hidden_state
        kept = mask.unsqueeze(-1).to(hidden.dtype)
        vectors = torch.nn.functional.normalize((hidden * kept).sum(1) / kept.sum(1), dim=-1)
        scores = self.scale * vectors[:queries] @ vectors[queries:].T
        loss = torch.nn.functional.cross_entropy(scores, torch.arange(queries))
        self.optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.optimiser.step()
        result = {"loss": loss.item(), "gradientNorm": norm.item()}
        return {"seconds": time.perf_counter() - began, **result, "bytes": resident(), "peakBytes": peak()}


def set_up(**given):
    peer = Peer(**given)
    return peer, peer.ready()


serve(set_up, {"step": lambda peer, **given: ("stepped", peer.step(**given))}, "python3 -m pip install torch transformers peft")
