#!/usr/bin/env python3
# Makes tests/golden/hf/chat_templates.json: where a Hugging Face folder may have chat templates, and
# the keys that a GGUF file then has. tests/convert/templates.c converts the folders and compares.
#
#   chat_templates.py <tests/golden/hf>     needs: pip install transformers==5.24.0 gguf==0.19.0
#
#   {case: {"files": {name: text}, "keys": {key: text or list of texts}}}
#
# The files lie over the case "bytes", less its own template. Which templates count is what
# transformers loads; the keys are what the gguf package writes of them (its list has no order).
import json
import shutil
import sys
import tempfile
from pathlib import Path

from gguf import GGUFReader, GGUFWriter
from transformers import AutoTokenizer

JINJA, MORE = "chat_template.jinja", "additional_chat_templates/"


def pair(name, template):
    return {"name": name, "template": template}


# case: (chat_template of tokenizer_config.json or None, files)
CASES = {
    "none": (None, {}),
    "text": ("ONE {{ m }}", {}),
    "list": ([pair("default", "DEFAULT"), pair("tool_use", "TOOLS"), pair("rag", "RAG")], {}),
    "list_of_one": ([pair("default", "DEFAULT")], {}),
    "list_without_default": ([pair("tool_use", "TOOLS")], {}),
    "list_twice": ([pair("tool_use", "A"), pair("default", "B"), pair("tool_use", "C"),
                    pair("default", "D")], {}),
    "object": ({"default": "DEFAULT", "tool_use": "TOOLS"}, {}),
    "names": ([pair("default", "D"), pair("tool use/2", "A"), pair("\u00e9-b.c", "B")], {}),
    "file": (None, {JINJA: "FILE\n{{ x }}\n"}),
    "file_counts_first": ("CONFIG", {JINJA: "FILE"}),
    "files": (None, {JINJA: "FILE", MORE + "tool_use.jinja": "TOOLS", MORE + "rag.jinja": "RAG",
                     MORE + "notes.txt": "no template"}),
    "files_count_first": ([pair("default", "CONFIG"), pair("other", "OTHER")],
                          {MORE + "tool_use.jinja": "TOOLS"}),
}


def loaded(base, files):
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        shutil.copytree(base, folder)
        (folder / JINJA).unlink()
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        return AutoTokenizer.from_pretrained(folder).chat_template


def keys_of(templates):
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "x.gguf"
        writer = GGUFWriter(path, "llama")
        if isinstance(templates, dict):
            templates = [pair(name, text) for name, text in templates.items()]
        if templates is not None:
            writer.add_chat_template(templates)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        keys = {key: field.contents() for key, field in GGUFReader(path).fields.items()
                if key.startswith("tokenizer.")}
        return {key: value if isinstance(value, str) else sorted(value)
                for key, value in keys.items()}


def main():
    folder = Path(sys.argv[1])
    all_cases = {}
    config = json.loads((folder / "bytes" / "tokenizer_config.json").read_text())
    for name, (templates, files) in CASES.items():
        changed = dict(config)
        if templates is not None:
            changed["chat_template"] = templates
        files = {"tokenizer_config.json": json.dumps(changed), **files}
        keys = keys_of(loaded(folder / "bytes", files))
        all_cases[name] = {"files": files, "keys": keys}
    (folder / "chat_templates.json").write_text(json.dumps(all_cases, indent=1) + "\n")


main()
