"""What PyTorch, transformers and PEFT make of a sentence encoder: the values that ml/ is held to.

Everything is computed in float64 from the model's float32 weights, so that a difference is the other side's own; what float32 in
PyTorch itself would differ by is noted beside it, for comparison. Written as float32, which rounds by 6e-8 at most.

Needs: pip install torch transformers peft safetensors
"""

import json
import math
import os
import re
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # everything that is needed lies on the disk

import torch
import torch.nn.functional as F
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer, BertForSequenceClassification, get_linear_schedule_with_warmup
from transformers.utils import logging

warnings.simplefilter("ignore")  # PEFT would like to ask the hub about the base model
logging.set_verbosity_error()
logging.disable_progress_bar()

SCALE = 20.0
MAX_LENGTH = 48
ALL_LINEAR = r".*encoder\.layer\.\d+\.(attention\.self\.(query|key|value)|attention\.output\.dense|intermediate\.dense|output\.dense)"

TRIPLES = [
    ("read a file from a path", "read: load the text of the file at this path", "write: save the text to a new file"),
    ("how to start a test?", "run: start every test in the folder", "stop: close what is open"),
    ("find the key with the small value", "search (map, key) = the value for that key", "the cat and the dog are in the house"),
    ("train the model", "train: set the weight of every layer, fast or slow", "query the index for a page"),
    ("why did it fail", "error: the first line that is not true", "green tree, blue river"),
    ("rank the document by score", "score(query, document): a number; large is first", "decode a token"),
    ("encode a word", "encode: a token for every word of the text, with no line left", "rank 1, rank 2, rank 3"),
    ("close it", "close the folder", "open the folder, read the list, write the list, close the folder and stop"),
    ("which fish is red?", "the red fish", "the old bird #42"),
    ("when is the answer false", "false: it is not what the page said", "true"),
    ("load_weights(layer)", "load the weight of the layer from the file <name>.bin", "save_weights"),
    ("new index of pages", "index: a map from a word to the page where it is", "last line"),
]
ODD_TEXTS = ["", "   ", "Ünïcödé Straße", "tokenizer's don't-split_this [MASK] x[SEP]y", "日本語 text", "a\tb\nc\u200bd", "zebra " * 40, "1234567890" * 12, "\u0301e\u0301 \U0001f600"]


class Model:
    """A BERT folder, its tokenizer, and how its tokens become one vector."""

    def __init__(self, folder: Path, dtype=torch.float64):
        self.folder, self.dtype = folder, dtype
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.pooling = "cls" if json.loads((folder / "1_Pooling/config.json").read_text())["pooling_mode_cls_token"] else "mean"

    def bert(self, dtype=None):
        return AutoModel.from_pretrained(self.folder, attn_implementation="eager").to(dtype or self.dtype).eval()

    def tokens(self, texts, max_length=MAX_LENGTH):
        return self.tokenizer(list(texts), padding=True, truncation=True, max_length=max_length, return_tensors="pt")

    def embed(self, bert, texts, pooling=None, normalise=True):
        tokens = self.tokens(texts)
        hidden = bert(**tokens).last_hidden_state
        if (pooling or self.pooling) == "cls":
            vectors = hidden[:, 0]
        else:
            mask = tokens["attention_mask"].unsqueeze(-1).to(hidden.dtype)
            vectors = (hidden * mask).sum(1) / mask.sum(1)
        return F.normalize(vectors, dim=-1) if normalise else vectors


def in_batch(queries, positives, negatives=None, scale=SCALE):
    """MultipleNegativesRankingLoss: each query's own positive against all positives and all negatives of the batch."""
    documents = positives if negatives is None else torch.cat([positives, negatives])
    scores = scale * queries @ documents.T
    return F.cross_entropy(scores, torch.arange(len(queries)))


def tokenizer_ids(model: Model):
    texts = [text for triple in TRIPLES for text in triple] + ODD_TEXTS
    pairs = [(q, d) for q, d, _ in TRIPLES] + [("the query", "zebra " * 40), ("zebra " * 40, "the text"), ("", "text")]
    cases = []
    for max_length in (16, MAX_LENGTH):
        single = model.tokenizer(texts, truncation=True, max_length=max_length)
        pair = model.tokenizer([q for q, _ in pairs], [d for _, d in pairs], truncation=True, max_length=max_length)
        cases.append({"maxLength": max_length, "ids": single["input_ids"], "pairIds": pair["input_ids"], "pairTypes": pair["token_type_ids"]})
    return {"texts": texts, "pairs": pairs, "cases": cases}


def embeddings(model: Model):
    texts = [text for triple in TRIPLES for text in triple]
    out, noise = {}, 0.0
    for pooling in ("mean", "cls"):
        for normalise in (True, False):
            name = f"{pooling}{'' if normalise else '-raw'}"
            with torch.no_grad():
                out[name] = model.embed(model.bert(), texts, pooling, normalise)
                noise = max(noise, relative(model.embed(model.bert(torch.float32), texts, pooling, normalise), out[name]))
    return {"texts": texts, "noise": noise}, out


def lora(bert, seed, b_width=None, **config):
    """A seeded adapter on `bert`; with `b_width` its B (and DoRA's magnitude) are random too, so that it does something."""
    torch.manual_seed(seed)
    peft = get_peft_model(bert, LoraConfig(lora_dropout=0.0, **config))
    for name, parameter in peft.named_parameters():
        if "lora_A" in name:
            parameter.data = torch.randn(parameter.shape).to(parameter.dtype) / math.sqrt(parameter.shape[1])
        elif b_width and "lora_B" in name:
            parameter.data = (torch.randn(parameter.shape) * b_width).to(parameter.dtype)
        elif b_width and "magnitude" in name:
            parameter.data = parameter.data * (1 + 0.1 * torch.randn(parameter.shape)).to(parameter.dtype)
    return peft


def save(peft, folder: Path):
    """As PEFT saves it, less what differs from run to run: the path of the base, and the order of sets."""
    peft.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    (folder / "adapter_model.safetensors").chmod(0o644)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text()) | {"base_model_name_or_path": "base"}
    config = {key: sorted(set(value)) if isinstance(value, list) else value for key, value in config.items()}
    path.write_text(json.dumps(config, indent=2) + "\n")


def trainable(peft):
    """The trained tensors under the names that PEFT gives them in files."""
    names = {id(p): n for n, p in peft.named_parameters() if p.requires_grad}
    plain = lambda name: re.sub(r"(?<=magnitude_vector)\.default\.weight|\.default|\.modules_to_save", "", name)
    return {plain(name): p for p in peft.parameters() if (name := names.get(id(p)))}


def step_loss(model: Model, peft, rows, hard):
    texts = [TRIPLES[r][0] for r in rows] + [TRIPLES[r][1] for r in rows] + ([TRIPLES[r][2] for r in rows] if hard else [])
    vectors = model.embed(peft, texts).split(len(rows))
    return in_batch(*vectors)


def gradients(model: Model):
    """Loss and gradients of one step: a fresh adapter and one that has learnt something; with and without hard negatives; DoRA."""
    cases, out = [], {}
    for name, hard, b_width, extra in (("fresh", False, None, {}), ("plain", False, 0.1, {}), ("hard", True, 0.1, {}), ("dora", True, 0.1, {"use_dora": True})):
        losses, grads = [], []
        for dtype in (torch.float64, torch.float32):
            # The same float32 values in both: drawn in float32, then widened.
            peft = lora(model.bert(torch.float32), 7, b_width, r=2, lora_alpha=4, target_modules=ALL_LINEAR, **extra).to(dtype)
            loss = step_loss(model, peft, range(6), hard)
            loss.backward()
            losses.append(loss.item())
            grads.append({key: p.grad for key, p in trainable(peft).items()})
            if dtype == torch.float64:
                out |= {f"{name}/start/{key}": p for key, p in trainable(peft).items()}
                out |= {f"{name}/gradient/{key}": p.grad for key, p in trainable(peft).items()}
        noise = max(relative(grads[1][key], value) for key, value in grads[0].items())
        cases.append({"name": name, "rank": 2, "alpha": 4, "decomposed": bool(extra), "hard": hard, "loss": losses[0], "noise": noise})
    return {"triples": TRIPLES[:6], "scale": SCALE, "targets": ALL_LINEAR, "cases": cases}, out


def schedule(optimiser, steps, warmup):
    """transformers' linear schedule from its second step on: the first would have a rate of 0, and learn nothing."""
    return get_linear_schedule_with_warmup(optimiser, warmup + 1, steps + 1, last_epoch=0)


def training(model: Model, steps=20, batch=4, warmup=4, rate=2e-3, decay=0.01, clip=1.0):
    """Twenty steps of torch.optim.AdamW, clipped, with warm-up and linear decay; the adapter after each."""
    runs = []
    for dtype in (torch.float64, torch.float32):
        peft = lora(model.bert(torch.float32), 11, r=2, lora_alpha=4, target_modules=ALL_LINEAR).to(dtype)
        parameters = trainable(peft)
        optimiser = torch.optim.AdamW(parameters.values(), lr=rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=decay)
        for group in optimiser.param_groups:
            group["initial_lr"] = rate
        rates = schedule(optimiser, steps, warmup)
        tensors = {f"step-00/{key}": p.detach().clone() for key, p in parameters.items()}
        points = []
        for step in range(steps):
            rows = [(step * batch + n) % len(TRIPLES) for n in range(batch)]
            optimiser.zero_grad()
            loss = step_loss(model, peft, rows, hard=True)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(parameters.values(), clip)
            optimiser.step()
            points.append({"rows": rows, "loss": loss.item(), "learningRate": rates.get_last_lr()[0], "gradientNorm": norm.item()})
            rates.step()
            tensors |= {f"step-{step + 1:02}/{key}": p.detach().clone() for key, p in parameters.items()}
        runs.append((points, tensors))
    (points, tensors), (_, single) = runs
    noise = max(relative(single[key], value) for key, value in tensors.items())
    plan = {"steps": steps, "batch": batch, "warmup": warmup, "learningRate": rate, "weightDecay": decay, "clip": clip, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "scale": SCALE}
    return {"triples": TRIPLES, "rank": 2, "alpha": 4, "targets": ALL_LINEAR, "plan": plan, "points": points, "noise": noise}, tensors


ADAPTERS = {
    "plain": dict(r=4, lora_alpha=8, target_modules=["query", "value"]),
    "rslora": dict(r=4, lora_alpha=8, target_modules=["key", "output.dense"], use_rslora=True),
    "dora": dict(r=2, lora_alpha=4, target_modules=["query", "intermediate.dense"], use_dora=True),
    "patterns": dict(r=2, lora_alpha=4, target_modules=["query", "key", "value"], rank_pattern={"query": 4, r"layer.1.attention.self.key": 1}, alpha_pattern={"value": 16}),
    "all": dict(r=2, lora_alpha=2, target_modules=ALL_LINEAR),
    "excluding": dict(r=2, lora_alpha=4, target_modules=["query", "dense"], exclude_modules=r".*(pooler|layer\.0).*"),
}


def adapters(model: Model, folder: Path):
    """Adapters as PEFT itself saves them, what they make of a few texts, and what they come to when merged."""
    texts = [text for triple in TRIPLES[:4] for text in triple]
    cases, out = [], {}
    with torch.no_grad():
        for seed, (name, config) in enumerate(ADAPTERS.items()):
            save(lora(model.bert(torch.float32), 20 + seed, 0.1, task_type=TaskType.FEATURE_EXTRACTION, **config), folder / name)
            peft = PeftModel.from_pretrained(model.bert(torch.float32), folder / name).double().eval()
            out[f"{name}/embeddings"] = model.embed(peft, texts)
            changed = sorted({key.split(".lora_")[0].removeprefix("base_model.model.") for key in get_peft_model_state_dict(peft)})
            merged = peft.merge_and_unload().state_dict()
            for module in (changed[0], changed[-1]):
                out[f"{name}/merged/{module}.weight"] = merged[f"{module}.weight"]
            cases.append({"name": name, "modules": changed})
    return {"texts": texts, "cases": cases}, out


def read_adapters(model: Model, folder: Path):
    """What PEFT makes of adapters that something else saved."""
    texts = [text for triple in TRIPLES[:4] for text in triple]
    found = {}
    with torch.no_grad():
        for adapter in sorted(path for path in folder.iterdir() if path.is_dir()):
            peft = PeftModel.from_pretrained(model.bert(torch.float32), adapter).double().eval()
            found[adapter.name] = model.embed(peft, texts).float().contiguous()
    save_file(found, folder / "embeddings.safetensors")


def ranknet(scores, grades):
    """Burges et al. 2005. The mean over the pairs of one list whose grades differ."""
    better = grades[:, None] > grades[None, :]
    return F.softplus(-(scores[:, None] - scores[None, :]))[better].mean()


def lambdarank(scores, grades):
    """Burges 2010: each pair weighs what swapping it would change NDCG by; gains 2^grade - 1, order by present score."""
    better = grades[:, None] > grades[None, :]
    gains = 2.0**grades - 1
    places = torch.argsort(torch.argsort(scores.detach(), descending=True, stable=True))
    discounts = 1 / torch.log2(places.to(scores.dtype) + 2)
    ideal = (gains.sort(descending=True).values / torch.log2(torch.arange(len(grades)).to(scores.dtype) + 2)).sum()
    swap = ((gains[:, None] - gains[None, :]) * (discounts[:, None] - discounts[None, :])).abs() / ideal
    return (swap * F.softplus(-(scores[:, None] - scores[None, :])))[better].sum()


def losses():
    """Each loss on given numbers, with its gradient: the mean over queries, each with a list of its own length."""
    torch.manual_seed(5)
    draw = lambda *shape: torch.randn(*shape).double()
    lists, grades = [draw(5), draw(4), draw(3)], [[2.0, 0, 1, 0, 3], [1.0, 0, 0, 0], [1.0, 1, 0]]
    cases = []

    def case(name, loss, values, **given):
        values = [value.clone().requires_grad_() for value in values]
        result = loss(values)
        result.backward()
        cases.append({"loss": name, **given, "scores": [v.tolist() for v in values], "result": result.item(), "gradients": [v.grad.tolist() for v in values]})

    def each(loss):
        return lambda values: torch.stack([loss(s, torch.tensor(g).double()) for s, g in zip(values, grades)]).mean()

    case("ranknet", each(ranknet), lists, grades=grades)
    case("lambdarank", each(lambdarank), lists, grades=grades)
    # sentence-transformers' CosineSimilarityLoss: the similarity itself is to be the grade.
    case("cosine", each(F.mse_loss), [s.tanh() for s in lists], grades=grades)
    case("mse", each(F.mse_loss), lists, grades=grades)

    similarities = draw(3, 5) * 5
    case("in-batch", lambda rows: F.cross_entropy(torch.stack(rows), torch.arange(3)), similarities.unbind(), excluded=[])
    # The second query's own positive is row 1; row 3 is known to be relevant to it too, and so no negative.
    left_out = torch.zeros(3, 5).double()
    left_out[1, 3] = -math.inf
    case("in-batch", lambda rows: F.cross_entropy(torch.stack(rows) + left_out, torch.arange(3)), similarities.unbind(), excluded=[[1, 3]])
    return {"cases": cases}


def cross_encoder(model: Model, folder: Path):
    """Scores of query and text read together, from the pooler through a head; with an adapter that carries the head, as PEFT saves it."""
    pairs = [(TRIPLES[q][0], TRIPLES[d][1 + d % 2]) for q in range(2) for d in range(4)]
    grades = torch.tensor([2.0, 0, 1, 0, 0, 3, 1, 0])

    bert = BertForSequenceClassification.from_pretrained(model.folder, num_labels=1, attn_implementation="eager").eval()
    torch.manual_seed(31)
    bert.classifier.weight.data = torch.randn(bert.classifier.weight.shape) / math.sqrt(bert.classifier.weight.shape[1])
    bert.classifier.bias.data = torch.randn(1) * 0.1
    tokens = model.tokenizer([q for q, _ in pairs], [d for _, d in pairs], padding=True, truncation=True, max_length=MAX_LENGTH, return_tensors="pt")
    peft = lora(bert, 33, 0.1, r=2, lora_alpha=4, target_modules=["query", "value"], modules_to_save=["classifier"], task_type=TaskType.SEQ_CLS)
    save(peft, folder)
    runs = []
    for dtype in (torch.float64, torch.float32):
        twin = peft.to(dtype).eval()
        twin.zero_grad()
        scores = twin(**tokens).logits[:, 0]
        loss = torch.stack([ranknet(s, g) for s, g in zip(scores.split(4), grades.to(dtype).split(4))]).mean()
        loss.backward()
        runs.append((loss.item(), {"scores": scores.detach()} | {f"gradient/{key}": p.grad.clone() for key, p in trainable(twin).items()}))
    (loss, exact), (_, single) = runs
    noise = max(relative(single[key], value) for key, value in exact.items())
    return {"pairs": pairs, "grades": grades.tolist(), "list": 4, "maxLength": MAX_LENGTH, "rank": 2, "alpha": 4, "targets": ["query", "value"], "loss": loss, "noise": noise}, exact


def relative(found, expected):
    """Length of the difference over the length of what was expected; of what should be zero, the length that is there."""
    length = expected.double().norm()
    return ((found.double() - expected.double()).norm() / (length if length > 1e-9 else 1)).item()


def write(folder: Path, name: str, facts, tensors=None):
    (folder / f"{name}.json").write_text(json.dumps(facts, ensure_ascii=False) + "\n")
    if tensors is not None:
        path = folder / f"{name}.safetensors"
        save_file({key: value.detach().float().contiguous().clone() for key, value in tensors.items()}, path)
        path.chmod(0o644)
