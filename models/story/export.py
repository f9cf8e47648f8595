"""export: writes a checkpoint as GGUF: python export.py WORK CHECKPOINT OUT [f32]. Big matrices Q8_0, norms F32.

Rope is on adjacent pairs in training already, so q and k go out as they are; output.weight is left out (tied).
"""
import sys
from pathlib import Path

import gguf
import numpy as np

import model as llama
import tokenizer

DESCRIPTION = ("A small English story model, trained for Godwit on CC-BY children's stories of the African "
               "Storybook and Pratham Books' StoryWeaver (authors and illustrators: story-ATTRIBUTION.tsv, to be passed "
               "on with this file) and on public-domain fairy tales (Grimm, Andersen, Lang, Jacobs, Carroll, Baum, "
               "Grahame).")


def write(net, sp, out, matrices=gguf.GGMLQuantizationType.Q8_0):
    s, temp = net.shape, out.with_suffix(".tmp")
    w = gguf.GGUFWriter(temp, "llama")
    w.add_type("model")
    w.add_name("Godwit Story")
    w.add_description(DESCRIPTION)
    w.add_license("cc-by-4.0")
    w.add_languages(["en"])
    w.add_context_length(s.context)
    w.add_embedding_length(s.dim)
    w.add_block_count(s.layers)
    w.add_feed_forward_length(s.ffn)
    w.add_head_count(s.heads)
    w.add_head_count_kv(s.kv_heads)
    w.add_key_length(s.head_dim)
    w.add_value_length(s.head_dim)
    w.add_layer_norm_rms_eps(s.eps)
    w.add_rope_dimension_count(s.head_dim)
    w.add_rope_freq_base(s.rope_base)
    w.add_vocab_size(s.vocab)
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if matrices == gguf.GGMLQuantizationType.Q8_0
                    else gguf.LlamaFileType.ALL_F32)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    ids = range(sp.vocab_size())
    kind = gguf.TokenType
    w.add_tokenizer_model("llama")
    w.add_tokenizer_pre("default")
    w.add_token_list([sp.id_to_piece(i).encode() for i in ids])
    w.add_token_scores([sp.get_score(i) for i in ids])
    w.add_token_types([kind.UNKNOWN if sp.is_unknown(i) else kind.CONTROL if sp.is_control(i)
                       else kind.BYTE if sp.is_byte(i) else kind.NORMAL for i in ids])
    w.add_bos_token_id(tokenizer.BOS)
    w.add_eos_token_id(tokenizer.EOS)
    w.add_unk_token_id(0)
    w.add_add_bos_token(True)
    w.add_add_eos_token(False)
    w.add_add_space_prefix(False)
    for name, value in net.state_dict().items():
        value = np.ascontiguousarray(value.float().numpy())
        if value.ndim == 2:
            w.add_tensor(name, gguf.quants.quantize(value, matrices), raw_dtype=matrices)
        else:
            w.add_tensor(name, value)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    temp.replace(out)


if __name__ == "__main__":
    work, checkpoint, out = map(Path, sys.argv[1:4])
    net, saved = llama.load(checkpoint)
    kind = gguf.GGMLQuantizationType.F32 if sys.argv[4:] == ["f32"] else gguf.GGMLQuantizationType.Q8_0
    write(net, tokenizer.load(work / "tokenizer.model"), out, kind)
    print(f"{out}: {out.stat().st_size:,} bytes, {llama.size(net):,} parameters, {saved['tokens'] / 1e6:.1f}M tokens seen,"
          f" held-out loss {saved['child']:.4f}")
