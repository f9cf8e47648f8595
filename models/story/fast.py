"""fast: the PyTorch face of fast.c: compiles it, keeps its operands, runs the rows of a batch on threads.

    python fast.py      checks loss and gradients against model.py
"""
import ctypes
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

import data
import model as llama


class CShape(ctypes.Structure):
    _fields_ = [(n, ctypes.c_int) for n in ("D", "H", "G", "E", "F", "L", "V", "T")] + [
        ("eps", ctypes.c_float), ("rope_base", ctypes.c_float)]


def library():
    source, out = Path(__file__).with_suffix(".c"), Path(tempfile.mkdtemp()) / "fast.so"
    subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC",
                    str(source), "-o", str(out), "-lm"], check=True)
    lib = ctypes.CDLL(str(out))
    lib.make.restype = ctypes.c_void_p
    lib.row_step.restype = ctypes.c_double
    lib.row_step.argtypes = [ctypes.c_void_p] * 8 + [ctypes.c_float, ctypes.c_float, ctypes.c_uint32]
    return lib


def pointers(arrays):
    return (ctypes.c_void_p * len(arrays))(*[a.ctypes.data if a is not None else None for a in arrays])


class Step:
    """step(rows) adds the gradient of the mean loss to net's .grad and returns that loss."""

    def __init__(self, net, threads=1, dropout=0.0):
        s, self.dropout, self.count = net.shape, dropout, 0
        self.lib = library()
        shape = CShape(s.dim, s.heads, s.kv_heads, s.head_dim, s.ffn, s.layers, s.vocab, s.context, s.eps, s.rope_base)
        self.work = [self.lib.make(ctypes.byref(shape)) for _ in range(threads)]
        self.pool = ThreadPoolExecutor(threads)
        per = ("attn_norm", "ffn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
        named = dict(net.named_parameters())
        self.params = [named[f"blk.{i}.{n}.weight"] for i in range(s.layers) for n in per]
        self.params += [named["token_embd.weight"], named["output_norm.weight"]]
        self.values = [p.detach().numpy() for p in self.params]
        room = lambda: [np.zeros(v.size, np.uint16) if v.ndim == 2 else None for v in self.values]
        self.fwd, self.back = room(), room()
        self.scratch = np.zeros(max(v.size for v in self.values), np.uint16)
        for p in self.params:
            p.grad = torch.zeros_like(p)
        self.grads = [[p.grad.numpy() for p in self.params]]
        self.grads += [[np.zeros_like(v) for v in self.values] for _ in range(threads - 1)]
        self.p_values, self.p_fwd, self.p_back = map(pointers, (self.values, self.fwd, self.back))
        self.p_grads = [pointers(g) for g in self.grads]

    def pack(self):
        for v, f, b in zip(self.values, self.fwd, self.back):
            if v.ndim == 2:
                self.lib.pack(*(ctypes.c_void_p(x) if x > 65535 else x for x in (
                    v.ctypes.data, v.shape[0], v.shape[1], self.scratch.ctypes.data, f.ctypes.data, b.ctypes.data)))

    def run(self, thread, rows, inv, learn):
        total = 0.0
        for n, row in rows:
            ids = np.ascontiguousarray(np.maximum(row[:-1], 0), np.int32)
            target = np.ascontiguousarray(row[1:], np.int32)
            start = np.ascontiguousarray(data.starts(row[None, :-1])[0], np.int32)
            total += self.lib.row_step(self.work[thread], self.p_values, self.p_fwd, self.p_back,
                                       self.p_grads[thread] if learn else None, ids.ctypes.data, target.ctypes.data,
                                       start.ctypes.data, inv, self.dropout if learn else 0.0, self.count * 64 + n)
        return total

    def batch(self, rows, learn):
        self.pack()
        counted = int((rows[:, 1:] >= 0).sum())
        some = list(enumerate(rows))
        n = len(self.work)
        jobs = [self.pool.submit(self.run, t, some[t::n], 1 / counted, learn) for t in range(n)]
        return sum(j.result() for j in jobs) / counted

    def __call__(self, rows):
        self.count += 1
        for g in self.grads[1:]:
            for a in g:
                a.fill(0)
        loss = self.batch(rows, True)
        for g in self.grads[1:]:
            for a, b in zip(self.grads[0], g):
                a += b
        return loss

    def held(self, rows):
        return self.batch(rows, False)


def check():
    torch.manual_seed(0)
    net = llama.Llama(llama.Shape(layers=2))
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(1 + 0.3 * torch.rand_like(p)) if p.ndim == 1 else p.mul_(1.5)
    rng = np.random.default_rng(0)
    rows = rng.integers(3, net.shape.vocab, (2, net.shape.context + 1)).astype(np.int32)
    rows[:, 100::90] = 1
    rows[1, 400:] = -1
    from train import loss_of
    want = loss_of(net, rows)
    want.backward()
    grads = {n: p.grad.clone() for n, p in net.named_parameters()}
    step = Step(net, 2)
    loss = step(rows)
    worst = max((float((p.grad - grads[n]).norm() / grads[n].norm()), n) for n, p in net.named_parameters())
    print(f"loss {loss:.5f} PyTorch {want.item():.5f}; gradients differ by at most {worst[0]:.4f} ({worst[1]})")
    return 0 if abs(loss - want.item()) < 0.01 and worst[0] < 0.03 else 1


if __name__ == "__main__":
    sys.exit(check())
