"""A language model of random weights in a GGUF file, written in a moment: its tokens are bytes, its answers noise."""

from pathlib import Path

import gguf
import numpy as np

WIDTH, LAYERS, HEADS = 64, 2, 4
TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
CHAT = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "


def write(path: Path, seed: int = 0) -> Path:
    """A Llama of 2 layers and 259 tokens, about half a megabyte."""
    writer = gguf.GGUFWriter(str(path), "llama")
    for name, value in {
        "context_length": 16_384, "embedding_length": WIDTH, "block_count": LAYERS, "feed_forward_length": 2 * WIDTH,
        "head_count": HEADS, "head_count_kv": HEADS, "layer_norm_rms_eps": 1e-5, "rope_dimension_count": WIDTH // HEADS,
        "vocab_size": len(TOKENS), "tokenizer_model": "llama", "tokenizer_pre": "default", "token_list": TOKENS,
        "token_scores": [0.0] * len(TOKENS), "token_types": [2, 3, 3] + [6] * 256, "unk_token_id": 0, "bos_token_id": 1,
        "eos_token_id": 2, "chat_template": CHAT,
    }.items():  # fmt: skip
        getattr(writer, f"add_{name}")(value)
    for name, shape in _shapes().items():
        writer.add_tensor(f"{name}.weight", _weights(name, shape, seed))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes = {"token_embd": (len(TOKENS), WIDTH), "output": (len(TOKENS), WIDTH), "output_norm": (WIDTH,)}
    layer = {
        "attn_norm": (WIDTH,), "ffn_norm": (WIDTH,), "ffn_gate": (2 * WIDTH, WIDTH), "ffn_up": (2 * WIDTH, WIDTH),
        "ffn_down": (WIDTH, 2 * WIDTH), **{f"attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")},
    }  # fmt: skip
    return shapes | {f"blk.{k}.{name}": shape for k in range(LAYERS) for name, shape in layer.items()}


def _weights(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    if name.endswith("norm"):
        return np.ones(shape, np.float32)
    return np.random.default_rng([seed, *name.encode()]).normal(0, 0.05, shape).astype(np.float32)
