// Convert: Hugging Face folders of tests/golden/hf: ids as the tokenizers package has them, rows of
// Wq and Wk, and one folder for each rule that breaks it. The logits are tests/cli/convert.sh's.
#include "convert/convert_support.h"
#include "convert/hf.h"
#include "text/tokenizer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GOLDEN GODWIT_TEST_ROOT "/tests/golden/hf/"

enum { MAX_TEXT = 1 << 16, MAX_IDS = 1 << 14 };

static godwit_status convert(const char *folder, uint32_t dtype, const char *out,
                             godwit_error *err) {
    godwit_quantize_params params = {.dtype = dtype, .n_threads = 2};
    godwit_quantize_result result;
    return gw_convert_folder(plain_host(), folder, &params, out, &result, err);
}

static size_t unhex(const char *hex, char *out) {
    size_t n = 0;
    for (unsigned byte; *hex != '-' && sscanf(hex, "%2x", &byte) == 1; hex += 2) {
        out[n++] = (char)byte;
        if (hex[2] == ' ' || hex[2] == '\n' || hex[2] == '\0') break;
    }
    return n;
}

// Each line of a golden: a text and its ids.
static void check_ids(const char *gguf_path, const char *golden) {
    static char text[MAX_TEXT];
    static int32_t ids[MAX_IDS];
    godwit_error err = {0};
    gw_tokenizer *tokenizer = NULL;
    opened file = open_gguf(gguf_path);
    int n_lines = 0;
    cr_assert_eq(gw_tokenizer_create(plain_host(), file.gguf, &tokenizer, &err), GODWIT_OK, "%s",
                 err.message);
    for (char *line = read_text(golden), *next; *line; line = next, n_lines++) {
        next = strchr(line, '\n');
        cr_assert_not_null(next);
        *next++ = '\0';
        size_t n_ids = 0;
        // The tokenizers package cuts special tokens out of every text, and adds what the file
        // says.
        godwit_encode_params params = {.parse_special = true};
        size_t n_text = unhex(line, text);
        cr_assert_eq(
            gw_tokenizer_encode(tokenizer, text, n_text, &params, ids, MAX_IDS, &n_ids, &err),
            GODWIT_OK, "%s", err.message);
        char *at = strchr(line, ' ');
        for (size_t i = 0; i < n_ids; i++) {
            cr_assert_not_null(at, "%s line %d: more ids than %zu", golden, n_lines + 1, i);
            cr_assert_eq(ids[i], atoi(at + 1), "%s line %d: id %zu is %d: %s", golden, n_lines + 1,
                         i, ids[i], line);
            at = strchr(at + 1, ' ');
        }
        cr_assert_null(at, "%s line %d: only %zu ids", golden, n_lines + 1, n_ids);
    }
    cr_expect_gt(n_lines, 30);
    gw_tokenizer_destroy(&tokenizer);
    close_gguf(&file);
}

Test(convert, ids) {
    static const char *const names[] = {"bytes", "spm", "plain", "biases"};
    char dir[512], out[600], folder[600], golden[600];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < 4; i++) {
        godwit_error err = {0};
        snprintf(folder, sizeof folder, GOLDEN "%s", names[i]);
        snprintf(golden, sizeof golden, GOLDEN "%s.ids.txt", names[i]);
        cr_assert_eq(convert(folder, GODWIT_F16, out, &err), GODWIT_OK, "%s", err.message);
        check_ids(out, golden);
    }
    folder_remove(dir);
}

// The folder "bytes" with each pre-tokenizer: recognised, and cut as the package cuts.
Test(convert, pre_tokenizers) {
    static const char *const names[] = {"gpt-2", "smollm", "llama-bpe", "smaug-bpe",
                                        "qwen2", "tekken", "gpt-4o"};
    static char tokenizer[1 << 17];
    char dir[512], out[600], path[600];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        godwit_error err = {0};
        gw_str name;
        copy_folder(dir, GOLDEN "bytes", "tokenizer.json");
        // The other pre-tokenizer first: of two names the first counts.
        snprintf(path, sizeof path, GOLDEN "pre.%s.json", names[i]);
        char *pre = read_text(path), *comma = strstr(pre, ", \"ignore_merges\"");
        cr_assert_not_null(comma);
        bool ignores = strstr(comma, "true") != NULL;
        int n = snprintf(tokenizer, sizeof tokenizer, "%.*s,", (int)(comma - pre), pre);
        const char *rest = read_text(GOLDEN "bytes/tokenizer.json");
        const char *flag = strstr(rest, "\"ignore_merges\": true");
        cr_assert_not_null(flag);
        n += snprintf(tokenizer + n, sizeof tokenizer - (size_t)n, "%.*s\"ignore_merges\": %s%s",
                      (int)(flag - rest - 1), rest + 1, ignores ? "true" : "false", flag + 21);
        write_text(dir, "tokenizer.json", tokenizer, (size_t)n);
        cr_assert_eq(convert(dir, GODWIT_F16, out, &err), GODWIT_OK, "%s: %s", names[i],
                     err.message);
        opened file = open_gguf(out);
        cr_assert_eq(gw_gguf_get_str(file.gguf, "tokenizer.ggml.pre", &name, &err), GODWIT_OK);
        cr_expect(gw_str_eq(name, gw_str_of(names[i])), "%s: called %.*s", names[i],
                  GW_STR_ARG(name));
        close_gguf(&file);
        snprintf(path, sizeof path, GOLDEN "pre.%s.ids.txt", names[i]);
        check_ids(out, path);
    }
    folder_remove(dir);
}

// The folder "spm" with Metaspace in place of its normalizer.
Test(convert, metaspace) {
    static const char *const schemes[] = {"first", "never"};
    static char text[1 << 20];
    char dir[512], out[600], path[600];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < 2; i++) {
        godwit_error err = {0};
        copy_folder(dir, GOLDEN "spm", "tokenizer.json");
        int n = snprintf(text, sizeof text,
                         "{\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"Metaspace\", "
                         "\"replacement\": \"\\u2581\", \"prepend_scheme\": \"%s\", \"split\": "
                         "false}, %s",
                         schemes[i], read_text(GOLDEN "spm/tokenizer.json") + 1);
        write_text(dir, "tokenizer.json", text, (size_t)n);
        cr_assert_eq(convert(dir, GODWIT_F16, out, &err), GODWIT_OK, "%s", err.message);
        snprintf(path, sizeof path, GOLDEN "spm.%s.ids.txt", schemes[i]);
        check_ids(out, path);
    }
    folder_remove(dir);
}

// Row 2 i + j of a head is row i of its half j; the same in a bias.
Test(convert, rows_of_heads) {
    char dir[512], out[600];
    godwit_error err = {0};
    gw_safetensors *from = NULL;
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    cr_assert_eq(convert(GOLDEN "plain", GODWIT_F16, out, &err), GODWIT_OK, "%s", err.message);
    cr_assert_eq(gw_safetensors_open(plain_host(), GOLDEN "plain", &from, &err), GODWIT_OK);
    opened to = open_gguf(out);
    const gw_st_tensor *q = gw_safetensors_find(from, "model.layers.1.self_attn.q_proj.weight");
    const gw_st_tensor *b = gw_safetensors_find(from, "model.layers.1.self_attn.k_proj.bias");
    const gw_gguf_tensor *q2 = gw_gguf_find_tensor(to.gguf, "blk.1.attn_q.weight");
    const gw_gguf_tensor *b2 = gw_gguf_find_tensor(to.gguf, "blk.1.attn_k.bias");
    static uint8_t q_scratch[1 << 16], b_scratch[1 << 12];
    const uint8_t *q_bytes = NULL, *b_bytes = NULL;
    cr_assert(q->bytes <= sizeof q_scratch && b->bytes <= sizeof b_scratch);
    cr_assert_eq(gw_source_view(&q->source, 0, q->bytes, q_scratch, &q_bytes, &err), GODWIT_OK);
    cr_assert_eq(gw_source_view(&b->source, 0, b->bytes, b_scratch, &b_bytes, &err), GODWIT_OK);
    cr_assert_eq(q2->bytes, q->bytes);
    cr_assert_eq(b2->type, GODWIT_F32);
    const uint64_t dh = 8, row = 64;
    for (uint64_t r = 0; r < q->dims[0]; r++) {
        uint64_t i = r % dh / 2, j = r % 2, source = r / dh * dh + j * dh / 2 + i;
        cr_expect_eq(memcmp(q2->source.bytes + r * row, q_bytes + source * row, row), 0, "row %d",
                     (int)r);
    }
    for (uint64_t r = 0; r < b->dims[0]; r++) {
        uint64_t source = r / dh * dh + r % 2 * dh / 2 + r % dh / 2;
        float want, got;
        gw_format_dequantize(gw_format_find(GODWIT_F16), b_bytes + 2 * source, 1, &want);
        memcpy(&got, b2->source.bytes + 4 * r, 4);
        cr_expect_eq(got, want, "bias %d", (int)r);
    }
    close_gguf(&to);
    gw_safetensors_destroy(&from);
    folder_remove(dir);
}

typedef struct change {
    const char *folder, *file, *from, *to; // from NULL: the whole file is `to`
    godwit_status want;
    const char *said;
} change;

static const change changes[] = {
    {"bytes", "config.json", NULL, "{", GODWIT_MALFORMED, "config.json: JSON"},
    {"bytes", "config.json", "LlamaForCausalLM", "OPTForCausalLM", GODWIT_UNSUPPORTED,
     "architectures: OPTForCausalLM"},
    {"bytes", "config.json", "[\n    \"LlamaForCausalLM\"\n  ]", "\"LlamaForCausalLM\"",
     GODWIT_MALFORMED, "'LlamaForCausalLM' is a text"},
    {"bytes", "config.json", "\"silu\"", "\"gelu\"", GODWIT_UNSUPPORTED, "hidden_act"},
    {"bytes", "config.json", "\"hidden_size\": 32", "\"hidden_size\": 0", GODWIT_MALFORMED,
     "hidden_size"},
    {"bytes", "config.json", "\"hidden_size\": 32", "\"hidden_size\": 3e1", GODWIT_MALFORMED,
     "hidden_size"},
    {"bytes", "config.json", "\"hidden_size\": 32", "\"hidden_size\": 64", GODWIT_MALFORMED,
     "shape [336, 32], config.json wants [336, 64]"},
    {"bytes", "config.json", "\"hidden_size\"", "\"quantization_config\": {}, \"hidden_size\"",
     GODWIT_UNSUPPORTED, "quantization_config"},
    {"bytes", "config.json", "\"hidden_size\"",
     "\"quantization_config\": {\"quant_method\": \"gptq\"}, \"hidden_size\"", GODWIT_UNSUPPORTED,
     "quantization_config: quant_method gptq is not converted"},
    {"bytes", "config.json", "\"hidden_size\"",
     "\"quantization_config\": {\"quant_method\": \"awq\"}, \"hidden_size\"", GODWIT_UNSUPPORTED,
     "quant_method awq is not converted"},
    {"bytes", "config.json", "\"hidden_size\"",
     "\"quantization_config\": {\"quant_method\": \"bitsandbytes\"}, \"hidden_size\"",
     GODWIT_UNSUPPORTED, "quant_method bitsandbytes"},
    {"bytes", "config.json", "\"hidden_size\"",
     "\"quantization_config\": {\"quant_method\": \"modelopt\", \"quant_algo\": \"NVFP4\"}, "
     "\"hidden_size\"",
     GODWIT_UNSUPPORTED, "modelopt's quant_algo NVFP4"},
    {"bytes", "config.json", "\"hidden_size\"",
     "\"quantization_config\": {\"quant_method\": \"compressed-tensors\", \"format\": "
     "\"pack-quantized\"}, \"hidden_size\"",
     GODWIT_UNSUPPORTED, "compressed-tensors' format pack-quantized"},
    {"bytes", "config.json", "\"hidden_size\"",
     "\"quantization_config\": {\"quant_method\": \"compressed-tensors\", \"format\": "
     "\"float-quantized\"}, \"hidden_size\"",
     GODWIT_UNSUPPORTED, "only one of config_groups"},
    {"bytes", "config.json", "\"hidden_size\"",
     "\"quantization_config\": {\"quant_method\": \"compressed-tensors\", \"format\": "
     "\"float-quantized\", \"config_groups\": {\"a\": {\"weights\": {\"strategy\": \"group\"}}}}, "
     "\"hidden_size\"",
     GODWIT_UNSUPPORTED, "strategy group is not converted"},
    {"bytes", "config.json", "\"hidden_size\"",
     "\"quantization_config\": {\"quant_method\": \"fp8\", \"weight_block_size\": [128]}, "
     "\"hidden_size\"",
     GODWIT_MALFORMED, "a block that is not of two sizes"},
    {"bytes", "config.json", "\"hidden_size\"",
     "\"quantization_config\": {\"quant_method\": \"fp8\", \"weight_block_size\": [128, 0]}, "
     "\"hidden_size\"",
     GODWIT_MALFORMED, "a block that is not of two sizes"},
    {"bytes", "config.json", "\"hidden_size\"",
     "\"quantization_config\": {\"quant_method\": \"fp8\", \"weight_block_size\": [128, 128]}, "
     "\"hidden_size\"",
     GODWIT_OK, ""},
    {"bytes", "config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3",
     GODWIT_MALFORMED, "model.layers.2.input_layernorm.weight: missing"},
    {"bytes", "config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1",
     GODWIT_UNSUPPORTED, "tensor model.layers.1."},
    {"bytes", "config.json", "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false",
     GODWIT_MALFORMED, "lm_head.weight: missing"},
    {"bytes", "config.json", "\"llama3\"", "\"longrope\"", GODWIT_UNSUPPORTED, "'longrope'"},
    {"plain", "config.json",
     "\"factor\": 2.0,\n    \"rope_theta\": 10000.0,\n    \"rope_type\": \"linear\"",
     "\"type\": \"su\"", GODWIT_UNSUPPORTED, "'su' is not default, linear, yarn or llama3"},
    {"bytes", "config.json", "\"factor\": 8.0", "\"factor\": 0", GODWIT_MALFORMED, "factor"},
    {"bytes", "config.json", "\"vocab_size\": 336", "\"vocab_size\": 300", GODWIT_MALFORMED,
     "vocab_size is 300"},
    {"spm", "config.json", "\"rope_type\"", "\"mscale\": 1.0, \"rope_type\"", GODWIT_UNSUPPORTED,
     "mscale"},
    {"spm", "config.json", "\"head_dim\": 24", "\"head_dim\": 23", GODWIT_MALFORMED, "head_dim"},
    // One past what the engine runs (base/limits.h).
    {"bytes", "config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1025",
     GODWIT_MALFORMED, "num_hidden_layers: not a whole number from 1 to 1024"},
    {"bytes", "config.json", "\"hidden_size\": 32", "\"hidden_size\": 131073", GODWIT_MALFORMED,
     "hidden_size: not a whole number from 1 to 131072"},
    {"bytes", "config.json", "\"intermediate_size\": 48", "\"intermediate_size\": 1048577",
     GODWIT_MALFORMED, "intermediate_size: not a whole number from 1 to 1048576"},
    {"bytes", "config.json", "\"num_attention_heads\": 4", "\"num_attention_heads\": 1025",
     GODWIT_MALFORMED, "num_attention_heads: not a whole number from 1 to 1024"},
    {"bytes", "config.json", "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3",
     GODWIT_MALFORMED, "num_key_value_heads: 3 does not divide 4 heads"},
    {"bytes", "config.json", "\"head_dim\": 8", "\"head_dim\": 584", GODWIT_UNSUPPORTED,
     "head_dim: 584 is above 576"},
    // The quotient of hidden_size and num_attention_heads.
    {"bytes", "config.json", "\"head_dim\": 8", "\"head_dim\": null, \"num_attention_heads\": 32",
     GODWIT_MALFORMED, "head_dim: 1 is not even"},
    {"bytes", "config.json", "\"vocab_size\": 336", "\"vocab_size\": 4194305", GODWIT_MALFORMED,
     "vocab_size: not a whole number from 1 to 4194304"},
    {"bytes", "config.json", "\"max_position_embeddings\": 256",
     "\"max_position_embeddings\": 16777217", GODWIT_MALFORMED,
     "max_position_embeddings: not a whole number from 1 to 16777216"},
    {"spm", "config.json", "\"sliding_window\": null", "\"sliding_window\": 16777217",
     GODWIT_MALFORMED, "sliding_window: not a whole number from 1 to 16777216"},
    {"bytes", "config.json", "\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 1.5", GODWIT_MALFORMED,
     "rms_norm_eps: not a number from 0 to 1"},
    {"bytes", "config.json", "\"rope_theta\": 10000.0", "\"rope_theta\": 0.5", GODWIT_MALFORMED,
     "rope_theta: not a number from 1 to 1e+12"},
    {"bytes", "config.json", "\"rope_theta\": 10000.0", "\"rope_theta\": 1e300", GODWIT_MALFORMED,
     "rope_theta: not a number from 1 to 1e+12"},
    {"spm", "config.json", "\"rope_theta\": 1000.0", "\"rope_theta\": 1", GODWIT_MALFORMED,
     "rope_theta: yarn needs more than 1"},
    {"plain", "config.json", "\"factor\": 2.0", "\"factor\": 2e6", GODWIT_MALFORMED,
     "factor: not a number from 0.001 to 1e+06"},
    {"plain", "config.json", "\"factor\": 2.0", "\"factor\": 0.001", GODWIT_OK, ""},
    {"bytes", "config.json", "\"factor\": 8.0", "\"factor\": 1e6", GODWIT_OK, ""},
    {"spm", "config.json", "\"rope_type\"", "\"beta_fast\": 20000, \"rope_type\"", GODWIT_MALFORMED,
     "beta_fast: not a number from 0.001 to 10000"},
    {"spm", "config.json", "\"rope_type\"", "\"attention_factor\": 2000, \"rope_type\"",
     GODWIT_MALFORMED, "attention_factor: not a number from"},
    // Biases where transformers has none, and none where it has them.
    {"plain", "config.json", "\"attention_bias\": true", "\"attention_bias\": false",
     GODWIT_UNSUPPORTED,
     "tensor model.layers.0.self_attn.q_proj.bias: config.json's attention_bias is not true"},
    {"plain", "config.json", "LlamaForCausalLM", "MistralForCausalLM", GODWIT_UNSUPPORTED,
     "q_proj.bias: MistralForCausalLM has no biases"},
    {"biases", "config.json", "\"mlp_bias\": true", "\"mlp_bias\": false", GODWIT_UNSUPPORTED,
     "gate_proj.bias: config.json's mlp_bias is not true"},
    {"plain", "config.json", "\"mlp_bias\": false", "\"mlp_bias\": true", GODWIT_MALFORMED,
     "gate_proj.bias: missing"},
    {"bytes", "config.json", "\"attention_bias\": false", "\"attention_bias\": true",
     GODWIT_MALFORMED, "q_proj.bias: missing"},
    {"plain", "config.json", "\"attention_bias\": true", "\"attention_bias\": 1", GODWIT_MALFORMED,
     "attention_bias: not true or false"},
    {"plain", "config.json", "\"tie_word_embeddings\": false", "\"tie_word_embeddings\": \"no\"",
     GODWIT_MALFORMED, "tie_word_embeddings: not true or false"},
    // MistralConfig's default; null is the number of heads.
    {"spm", "config.json", "\"num_key_value_heads\"", "\"unknown\"", GODWIT_MALFORMED,
     "num_key_value_heads: 8 does not divide 4 heads"},
    {"spm", "config.json", "\"num_key_value_heads\": 2", "\"num_key_value_heads\": null",
     GODWIT_MALFORMED, "k_proj.weight: shape [48, 32], config.json wants [96, 32]"},
    {"plain", "config.json", "\"linear\"", "3", GODWIT_MALFORMED, "rope_type: not a text"},
    {"plain", "config.json", "\"linear\"", "null", GODWIT_MALFORMED, "rope_type: not a text"},
    {"plain", "config.json", "\"rope_parameters\": {",
     "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 3, \"rope_theta\": 10000}, "
     "\"rope_parameters\": {",
     GODWIT_MALFORMED, "rope_parameters and rope_scaling disagree"},
    {"plain", "config.json", "\"rope_parameters\": {",
     "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}, \"rope_theta\": 9000, "
     "\"rope_parameters\": {",
     GODWIT_MALFORMED, "rope_parameters and rope_scaling disagree"},
    {"plain", "config.json", "\"rope_parameters\": {",
     "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}, \"rope_theta\": 10000, "
     "\"rope_parameters\": {",
     GODWIT_OK, ""},
    {"plain", "config.json", "\"rope_parameters\": {",
     "\"rope_scaling\": {}, \"rope_parameters\": {", GODWIT_OK, ""},
    {"plain", "config.json", "\"rope_parameters\": {",
     "\"rope_scaling\": [], \"rope_parameters\": {", GODWIT_MALFORMED,
     "rope_scaling: not an object"},
    {"bytes", "config.json", "\"eos_token_id\": 2", "\"eos_token_id\": 336", GODWIT_MALFORMED,
     "config.json: eos_token_id: '336' is no token's number"},
    {"bytes", "config.json", "\"eos_token_id\": 2", "\"eos_token_id\": [1, 2, -3]",
     GODWIT_MALFORMED, "eos_token_id: '-3' is no token's number"},
    {"bytes", "config.json", "\"bos_token_id\": 1", "\"bos_token_id\": \"1\"", GODWIT_MALFORMED,
     "bos_token_id: '1' is no token's number"},
    {"bytes", "config.json", "\"pad_token_id\": null", "\"pad_token_id\": -1", GODWIT_OK, ""},
    // Whole, and in 32 bits: 1 of these.
    {"spm", "config.json", "\"original_max_position_embeddings\": 16",
     "\"original_max_position_embeddings\": 4294967297", GODWIT_MALFORMED,
     "original_max_position_embeddings: not a number from 1 to 1.67772e+07"},
    {"spm", "config.json", "\"original_max_position_embeddings\": 16",
     "\"original_max_position_embeddings\": 16.5", GODWIT_MALFORMED,
     "original_max_position_embeddings: 16.5 is not whole"},
    {"spm", "config.json", "\"original_max_position_embeddings\": 16",
     "\"original_max_position_embeddings\": 16.0", GODWIT_OK, ""},
    {"bytes", "tokenizer.json", "\"BPE\"", "\"WordLevel\"", GODWIT_UNSUPPORTED, "model: WordLevel"},
    {"bytes", "tokenizer.json", "\"normalizer\": null", "\"normalizer\": {\"type\":\"NFKC\"}",
     GODWIT_UNSUPPORTED, "normalizer: NFKC"},
    {"bytes", "tokenizer.json", "{1,3}", "{1,4}", GODWIT_UNSUPPORTED,
     "does not know the pattern (?i:'s|"},
    {"bytes", "tokenizer.json", "\"ignore_merges\": true", "\"ignore_merges\": 1", GODWIT_OK,
     ""}, // reads as false: smaug-bpe
    {"plain", "tokenizer.json", "\"ignore_merges\": false", "\"ignore_merges\": true",
     GODWIT_UNSUPPORTED, "pre_tokenizer"},
    {"bytes", "tokenizer.json", "\"dropout\": null", "\"dropout\": 0.1", GODWIT_UNSUPPORTED,
     "dropout"},
    {"bytes", "tokenizer.json", "\"add_prefix_space\": false", "\"add_prefix_space\": true",
     GODWIT_UNSUPPORTED, "add_prefix_space"},
    {"bytes", "tokenizer.json", "\"id\": 1,", "\"id\": 0,", GODWIT_MALFORMED, "the same id 0"},
    {"spm", "tokenizer.json", "\"pre_tokenizer\": null",
     "\"pre_tokenizer\": {\"type\": \"Whitespace\"}", GODWIT_UNSUPPORTED,
     "pre_tokenizer: Whitespace"},
    {"spm", "tokenizer.json", "\"Prepend\"", "\"Lowercase\"", GODWIT_UNSUPPORTED,
     "normalizer: Lowercase"},
    {"spm", "tokenizer.json", "\"merges\": [", "\"merges\": [], \"others\": [", GODWIT_UNSUPPORTED,
     "in ways that are no merges"},
    {"spm", "tokenizer.json", "\"merges\": [", "\"merges\": [[\"a\", \"~\"],", GODWIT_MALFORMED,
     "item 0: '~' is no token"},
    {"bytes", "model.safetensors", NULL, "x", GODWIT_MALFORMED, "length of the header"},
};

// The file's text with the change made, into a static buffer.
static const char *changed(const change *c, size_t *out_n) {
    static char text[1 << 20];
    char path[600];
    *out_n = strlen(c->to);
    if (!c->from) return c->to;
    snprintf(path, sizeof path, GOLDEN "%s/%s", c->folder, c->file);
    const char *old = read_text(path), *at = strstr(old, c->from);
    cr_assert_not_null(at, "%s: no %s", path, c->from);
    *out_n = (size_t)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - old), old, c->to,
                              at + strlen(c->from));
    return text;
}

Test(convert, rules) {
    char dir[512], out[600], folder[600];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const change *c = &changes[i];
        godwit_error err = {0};
        size_t n = 0;
        snprintf(folder, sizeof folder, GOLDEN "%s", c->folder);
        copy_folder(dir, folder, c->file);
        const char *text = changed(c, &n);
        write_text(dir, c->file, text, n);
        cr_expect_eq(convert(dir, GODWIT_F16, out, &err), c->want, "%s %s: %s", c->file, c->to,
                     err.message);
        cr_expect_not_null(strstr(err.message, c->said), "%s: '%s' is not in: %s", c->to, c->said,
                           err.message);
        cr_expect_eq(access(out, F_OK) == 0, c->want == GODWIT_OK, "%s", c->to);
        unlink(out);
    }
    folder_remove(dir);
}

// Bytes fall back to "<0xNN>" in capitals alone; in small letters it is a text like any other.
Test(convert, byte_tokens_are_in_capitals) {
    static const change small = {"spm",        "tokenizer.json", "\"<0x4A>\"",
                                 "\"<0x4a>\"", GODWIT_OK,        ""};
    char dir[512], out[600];
    godwit_error err = {0};
    size_t n = 0;
    int n_seen = 0;
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    copy_folder(dir, GOLDEN "spm", "tokenizer.json");
    const char *text = changed(&small, &n);
    write_text(dir, "tokenizer.json", text, n);
    cr_assert_eq(convert(dir, GODWIT_F16, out, &err), GODWIT_OK, "%s", err.message);
    opened file = open_gguf(out);
    const gw_gguf_value *tokens = gw_gguf_find(file.gguf, "tokenizer.ggml.tokens");
    const gw_gguf_value *kinds = gw_gguf_find(file.gguf, "tokenizer.ggml.token_type");
    for (uint64_t i = 0; i < tokens->n_items; i++) {
        gw_str token;
        uint64_t kind = 0;
        cr_assert_eq(gw_gguf_item_str(tokens, i, &token, &err), GODWIT_OK);
        cr_assert_eq(gw_gguf_item_u64(kinds, i, &kind, &err), GODWIT_OK);
        if (gw_token_byte(token) < 0) continue;
        bool is_small = gw_str_eq(token, GW_STR("<0x4a>"));
        cr_expect_eq(kind, is_small ? GW_TOKEN_NORMAL : GW_TOKEN_BYTE, "%.*s", GW_STR_ARG(token));
        n_seen += is_small;
    }
    cr_expect_eq(n_seen, 1);
    close_gguf(&file);
    folder_remove(dir);
}

// What older versions of transformers call the same: the same file.
Test(convert, older_names_of_settings) {
    static const change renamed[][2] = {
        {{"bytes", "config.json", "\"rope_parameters\"", "\"rope_scaling\"", GODWIT_OK, ""},
         {"bytes", "config.json", "\"rope_type\"", "\"type\"", GODWIT_OK, ""}},
        {{"spm", "config.json", "\"rope_parameters\": {",
          "\"rope_theta\": 1000.0, \"rope_parameters\": null, \"rope_scaling\": {", GODWIT_OK, ""},
         {"spm", "config.json", "\"tie_word_embeddings\": false", "\"torch_dtype\": \"float32\"",
          GODWIT_OK, ""}},
    };
    char dir[512], out[600], folder[600];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < 4; i++) {
        const change *c = &renamed[i / 2][i % 2];
        godwit_error err = {0};
        size_t n = 0;
        snprintf(folder, sizeof folder, GOLDEN "%s", c->folder);
        copy_folder(dir, folder, "");
        cr_assert_eq(convert(dir, GODWIT_F16, out, &err), GODWIT_OK, "%s", err.message);
        contents first = read_file(out);
        copy_folder(dir, folder, c->file);
        const char *text = changed(c, &n);
        write_text(dir, c->file, text, n);
        cr_assert_eq(convert(dir, GODWIT_F16, out, &err), GODWIT_OK, "%s", err.message);
        contents second = read_file(out);
        cr_expect(first.n == second.n && memcmp(first.bytes, second.bytes, (size_t)first.n) == 0,
                  "%s gives another file", c->to);
        drop_file(&first);
        drop_file(&second);
    }
    folder_remove(dir);
}

Test(convert, files_that_are_missing) {
    static const char *const names[] = {"config.json", "tokenizer.json", "model.safetensors"};
    char dir[512], out[600];
    folder_make(dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out.gguf", dir);
    for (size_t i = 0; i < 3; i++) {
        godwit_error err = {0};
        copy_folder(dir, GOLDEN "bytes", names[i]);
        cr_expect_eq(convert(dir, GODWIT_F16, out, &err), GODWIT_NOT_FOUND);
        cr_expect_not_null(strstr(err.message, names[i]), "%s", err.message);
    }
    folder_remove(dir);
}
