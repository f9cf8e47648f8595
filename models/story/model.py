"""model: the llama architecture in PyTorch: RMSNorm, rope on adjacent pairs, grouped-query attention, SwiGLU, tied
embeddings. Tensor names are GGUF's, so that export is a copy."""
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Shape:
    vocab: int = 2048
    dim: int = 256
    layers: int = 6
    heads: int = 8
    kv_heads: int = 4
    head_dim: int = 32
    ffn: int = 704
    context: int = 512
    rope_base: float = 10000.0
    eps: float = 1e-5


class RMSNorm(nn.Module):
    def __init__(self, dim, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), self.eps)


def rope_table(shape, length):
    """cos and sin, [length, head_dim / 2]."""
    half = torch.arange(0, shape.head_dim, 2).double() / shape.head_dim
    angle = torch.arange(length).double()[:, None] * shape.rope_base ** -half
    return angle.cos().float(), angle.sin().float()


def rope(x, cos, sin):
    """Turns the adjacent pairs (x0, x1), (x2, x3).. of x [.., T, head_dim]."""
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2).to(x.dtype)


class Block(nn.Module):
    def __init__(self, s, dropout):
        super().__init__()
        self.s, self.drop = s, nn.Dropout(dropout)
        lin = lambda n_in, n_out: nn.Linear(n_in, n_out, bias=False)
        self.attn_norm, self.ffn_norm = RMSNorm(s.dim, s.eps), RMSNorm(s.dim, s.eps)
        self.attn_q, self.attn_output = lin(s.dim, s.heads * s.head_dim), lin(s.heads * s.head_dim, s.dim)
        self.attn_k, self.attn_v = lin(s.dim, s.kv_heads * s.head_dim), lin(s.dim, s.kv_heads * s.head_dim)
        self.ffn_gate, self.ffn_up, self.ffn_down = lin(s.dim, s.ffn), lin(s.dim, s.ffn), lin(s.ffn, s.dim)

    def forward(self, x, cos, sin, mask):
        s, (B, T, _) = self.s, x.shape
        h = self.attn_norm(x)
        split = lambda y: y.view(B, T, -1, s.head_dim).transpose(1, 2)
        q, k, v = rope(split(self.attn_q(h)), cos, sin), rope(split(self.attn_k(h)), cos, sin), split(self.attn_v(h))
        rep = s.heads // s.kv_heads
        k, v = k.repeat_interleave(rep, 1), v.repeat_interleave(rep, 1)
        a = F.scaled_dot_product_attention(q, k, v.to(q.dtype), attn_mask=mask, is_causal=mask is None)
        x = x + self.drop(self.attn_output(a.transpose(1, 2).reshape(B, T, -1)))
        h = self.ffn_norm(x)
        return x + self.drop(self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h)))


class Llama(nn.Module):
    def __init__(self, shape, dropout=0.0):
        super().__init__()
        self.shape, self.drop = shape, nn.Dropout(dropout)
        self.token_embd = nn.Embedding(shape.vocab, shape.dim)
        self.blk = nn.ModuleList(Block(shape, dropout) for _ in range(shape.layers))
        self.output_norm = RMSNorm(shape.dim, shape.eps)
        cos, sin = rope_table(shape, shape.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                scale = (2 * shape.layers) ** -0.5 if "attn_output" in name or "ffn_down" in name else 1.0
                nn.init.normal_(p, std=0.02 * scale if "embd" in name else scale * p.shape[1] ** -0.5 * 0.5)

    def forward(self, ids, targets=None, mask=None):
        """Logits [B, T, vocab], or the mean loss where targets are given (-1 is not counted)."""
        T = ids.shape[1]
        x = self.drop(self.token_embd(ids))
        for block in self.blk:
            x = block(x, self.cos[:T], self.sin[:T], mask)
        logits = F.linear(self.output_norm(x), self.token_embd.weight)
        if targets is None:
            return logits
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=-1)


def size(model):
    return sum(p.numel() for p in model.parameters())


def save(path, model, **more):
    temp = path.with_suffix(".tmp")
    torch.save({"shape": asdict(model.shape), "model": model.state_dict(), **more}, temp)
    temp.replace(path)


def load(path, dropout=0.0):
    """(model, everything that was saved)."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model = Llama(Shape(**saved["shape"]), dropout)
    model.load_state_dict(saved["model"])
    return model, saved
