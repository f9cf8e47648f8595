#!/usr/bin/env python3
# Makes jinja.json and templates.json: what Jinja2 renders, set up as the transformers library does.
#
#   jinja.py [DATA]   needs: pip install Jinja2==3.1.6 (sandbox and loop controls come with it)
#
#   jinja.json        one small template a row, with the variables of all: the text, or that it fails
#   templates.json    own or foreign -> template -> conversation -> FNV-1a, 64 bits, of the text; null where it fails.
#                     Conversations: conversations.json. Templates: of templates/; of DATA/templates.
# Rows of jinja.json that are none of Jinja2's business (bounds) are in tests/text/jinja.c.
import datetime
import json
import sys
from pathlib import Path

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = Path(__file__).parent
NOW = datetime.datetime(2025, 7, 15, 12, 0)  # 1752580800


class Generation(Extension):
    """{% generation %}: prints its body, in a scope of its own."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def raise_exception(message):
    raise TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                    extensions=[Generation, loopcontrols])
env.filters["tojson"] = tojson
env.globals["raise_exception"] = raise_exception
env.globals["strftime_now"] = NOW.strftime


def render(template, variables):
    try:
        return env.from_string(template).render(**variables)
    except Exception:
        return None


def fnv(text):
    if text is None:
        return None
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return "%016x" % value


V = dict(
    s="Hello, Wörld <b>", n=7, f=2.5, z=0, neg=-3, t=True, fl=False, none=None, lst=[3,1,2], words=["b","A","c","a"],
 d={"b":1,"a":{"x":[1,2,{"y":"z"}]},"items":5}, msgs=[{"role":"user","content":"hi"},{"role":"assistant","content":None,"n":2},{"role":"tool","content":"x","n":1}],
 multi="line1\n  line2\n\nline4\n", empty="", elist=[], edict={}, uni="ÄÖÜ ß ἈΣΑΣ ǆ ﬁ İ 😀", big=12345678901234, fs=[1.0,0.1,1e16,1e22,1.5e-7,123456.789,-0.0,1e100,5e-324,0.0001,0.00001, 3.14159265358979],
 q="it's \"q\" \\ \t\n\u0001é", bos_token="<s>")
S = r'''
{{ s }} {{ n }} {{ f }} {{ t }} {{ none }} {{ undefinedvar }} {{ lst }} {{ d }} {{ fs }}
{{ q }} {{ [q] }} {{ q|tojson }} {{ [uni] }}
{{ uni|upper }} {{ uni|lower }} {{ uni|title }} {{ uni|capitalize }} {{ uni.title() }} {{ uni.upper() }} {{ uni.swapcase is defined }}
{{ "{:>8}|{:<6}|{:^7}|{:05d}|{:.2f}|{:,}|{:x}".format("ab", "cd", "ef", 42, 3.14159, 1234567, 255) }}
{{ "{0} {1} {0} {name}".format(1, "b", name="N") }} {{ "{{}}".format() }} {{ "{a[x]} {b.c}".format(a={"x":1}, b={"c":2}) }}
{{ "%s %d %5.2f %-5s| %05d %x %% %r" % ("a", 3, 2.345, "ab", 42, 255, "q") }}
{{ "%s" % "x" }} {{ "%s" % lst }} {{ "%(a)s %(b)d" % {"a": 1, "b": 2} }} {{ "%s and %s"|format("x", 1) }}
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 1e3 }} {{ 1_000 }} {{ 0x1f }} {{ 7.5 // 2 }} {{ -7.5 % 2 }}
{{ 1 + 2 * 3 ~ "x" ~ 4 }} {{ "a" + "b" ~ 1 }} {{ "a" * 3 }} {{ [1] + [2] }} {{ (1,) + (2,3) }} {{ [0] * 3 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 > 2 }} {{ "a" in "abc" }} {{ 1 in [1,2] }} {{ "b" in d }} {{ 1 not in lst }} {{ not 1 in lst }}
{{ "x" if t else "y" }} {{ "x" if fl }} {{ "x" if fl else "y" if t else "z" }}
{{ t and "a" or "b" }} {{ none or "c" }} {{ 0 and 1 }} {{ not t }}
{{ lst[0] }} {{ lst[-1] }} {{ lst[10] }} {{ lst[1:] }} {{ lst[::-1] }} {{ lst[:-1] }} {{ s[1:4] }} {{ s[::-1] }} {{ s[0] }} {{ s[-3:] }} {{ uni[20] }} {{ s[100:] }} {{ lst[-100:2] }} {{ lst[5:1:-2] }}
{{ d.b }} {{ d["b"] }} {{ d.a.x[2].y }} {{ d.nope }} {{ d.nope is defined }} {{ d["items"] }} {{ d.get("q") }} {{ d.get("q", 4) }} {{ d.keys()|list }} {{ d.values()|list }} {{ d.items()|list }}
{% for k, v in d.items() %}{{ loop.index }}{{ k }}={{ v }}{% if not loop.last %}, {% endif %}{% endfor %}
{% for x in lst if x > 1 %}{{ loop.index0 }}/{{ loop.length }}:{{ x }} {{ loop.previtem }} {{ loop.nextitem }} {{ loop.first }} {{ loop.revindex }}{% else %}none{% endfor %}
{% for x in [] %}a{% else %}empty{% endfor %}
{% for x in [1,2,3,4] %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for x in "abc" %}{{ loop.cycle("o","e") }}{{ x }}{{ loop.changed(x) }}{% endfor %}
{% set ns = namespace(a=1, l=[]) %}{% for x in lst %}{% set ns.a = ns.a + x %}{% set ns.l = ns.l + [x] %}{% endfor %}{{ ns.a }} {{ ns.l }} {{ ns.q is defined }}
{% set x = 1 %}{% for i in [1,2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, e) = [3, 4] %}{{ c }}{{ e }}
{% set blk %}hello {{ n }}{% endset %}[{{ blk }}] {% set blk2 | upper | trim %} hey {% endset %}[{{ blk2 }}]
{% macro m(a, b=2, c=a) %}<{{ a }},{{ b }},{{ c }}>{% endmacro %}{{ m(1) }}{{ m(1, c=5) }}{{ m(b=3, a=4) }}{{ m() }}
{% macro rec(n) %}{{ n }}{% if n > 0 %}{{ rec(n - 1) }}{% endif %}{% endmacro %}{{ rec(3) }}
{% macro cm(x) %}[{{ caller(x) }}]{% endmacro %}{% call(y) cm(5) %}got {{ y }}{% endcall %}
{% filter upper %}abc {{ s }}{% endfilter %}{% with q1 = 4, q2 = n %}{{ q1 }}{{ q2 }}{% endwith %}{{ q1 }}
{% generation %}gen {{ n }}{% endgeneration %}|{% raw %}{{ raw }} {% x %}{% endraw %}|{# comment #}|
{{ lst|sort }} {{ words|sort }} {{ words|sort(case_sensitive=true) }} {{ words|sort(reverse=true) }} {{ lst|sort|first }} {{ lst|last }} {{ lst|first }} {{ lst|max }} {{ lst|min }} {{ lst|sum }}
{{ msgs|map(attribute="role")|list }} {{ msgs|map(attribute="role")|join(", ") }} {{ msgs|selectattr("role","equalto","user")|list }} {{ msgs|selectattr("n")|list|length }} {{ msgs|rejectattr("role","in",["user","tool"])|map(attribute="role")|first }} {{ words|map("upper")|list }} {{ words|unique|list }} {{ [1,1,2]|unique|list }}
{{ [0,1,2]|select|list }} {{ [0,1,2,3]|select("odd")|list }} {{ [0,1,none]|reject("none")|list }} {{ [1,5,3]|select("greaterthan", 2)|list }}
{{ d|dictsort }} {{ d|items|list }} {{ {"b":2,"A":1}|dictsort }} {{ {"b":1,"a":2}|dictsort(by="value") }} {{ {"b":1,"a":2}|dictsort(reverse=true) }}
{{ multi|indent }}|{{ multi|indent(2, true) }}|{{ multi|indent(2, blank=true) }}|{{ multi|indent("> ") }}|{{ ""|indent(2,true) }}|{{ "a\n"|indent(2, blank=true) }}|{{ "a\n\nb"|indent }}
{{ d|tojson }} {{ d|tojson(indent=2) }} {{ lst|tojson(indent=4) }} {{ []|tojson(indent=2) }} {{ {}|tojson(indent=2) }} {{ d|tojson(separators=(",", ":")) }} {{ d|tojson(sort_keys=true) }} {{ uni|tojson(ensure_ascii=true) }} {{ fs|tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 6}|tojson }} {{ [d]|tojson(indent="\t") }} {{ lst|tojson(indent=0) }}
{{ "  x "|trim }}|{{ "xxaxx"|trim("x") }}|{{ "  x ".strip() }}|{{ "xyaxy".strip("xy") }}|{{ " a".lstrip() }}|{{ "a \n".rstrip() }}|
{{ "a,b,,c".split(",") }} {{ " a  b c ".split() }} {{ "a,b,c".split(",", 1) }} {{ "a,b,c".rsplit(",", 1) }} {{ " a b c ".rsplit(none, 1) }} {{ " a b  c ".split(none, 1) }} {{ "".split() }} {{ "".split(",") }} {{ multi.splitlines() }} {{ multi.splitlines(true) }}
{{ "a-b-c".partition("-") }} {{ "a-b-c".rpartition("-") }} {{ "abc".partition("x") }} {{ "abc".rpartition("x") }}
{{ "abc".startswith("ab") }} {{ "abc".startswith(("x","a")) }} {{ "abc".endswith("bc") }} {{ "abc".startswith("b", 1) }} {{ "wörld".find("l") }} {{ "abc".find("z") }} {{ "abcabc".rfind("b") }} {{ "aXbX".count("X") }} {{ "abc".index("c") }} {{ "abcabc".find("b", 2) }}
{{ "aaa".replace("a", "b", 2) }} {{ "aaa"|replace("a", "b") }} {{ "abc".replace("", "-") }} {{ "abc".replace("", "-", 2) }} {{ "wör"|replace("", ".") }} {{ 123|replace("2", "x") }}
{{ "-".join(words) }} {{ lst|join("-") }} {{ lst|join }} {{ "abc"|list }} {{ "abc"|length }} {{ uni|length }} {{ d|length }} {{ lst|count }}
{{ "12"|int + 1 }} {{ "12.7"|int }} {{ "x"|int }} {{ "x"|int(5) }} {{ "0x1f"|int(0, 16) }} {{ 3.9|int }} {{ " 5 "|int }} {{ "1.5"|float }} {{ "q"|float }} {{ 3|float }} {{ true|int }} {{ none|int }} {{ "-7"|int }} {{ "1_0"|int }}
{{ 2.5|round }} {{ 3.5|round }} {{ 2.567|round(2) }} {{ 2.5|round(0,"ceil") }} {{ 2.59|round(1,"floor") }} {{ 5|round }} {{ -3|abs }} {{ -2.5|abs }}
{{ undefinedvar|default("d") }} {{ none|default("d") }} {{ none|default("d", true) }} {{ ""|d("e", true) }} {{ undefinedvar|d }} {{ d.nope|default(5) }} {{ d.nope.x|default(5) }}
{{ undefinedvar is defined }} {{ n is defined }} {{ none is none }} {{ n is number }} {{ t is boolean }} {{ t is true }} {{ fl is false }} {{ s is string }} {{ d is mapping }} {{ lst is iterable }} {{ lst is sequence }} {{ s is sequence }} {{ n is iterable }} {{ d is sequence }} {{ n is integer }} {{ f is float }} {{ t is integer }} {{ t is number }} {{ n is odd }} {{ n is even }} {{ n is divisibleby 7 }} {{ 1 is in [1,2] }} {{ n is eq 7 }} {{ n is ne(7) }} {{ n is gt 3 }} {{ "a" is lower }} {{ "A" is upper }} {{ "aB1" is lower }} {{ "1" is lower }} {{ s is not none }} {{ n is sameas n }} {{ undefinedvar is none }} {{ undefinedvar is iterable }} {{ undefinedvar is sequence }} {{ undefinedvar is mapping }} {{ undefinedvar is string }}
{{ n is not defined or t }} {{ s is string and n is number }} {{ (n is number) == t }}
{{ range(3) }} {{ range(3)|list }} {{ range(1,10,3)|list }} {{ range(5,0,-2)|list }} {{ range(0) }} {{ range(2,9,3) }}
{{ dict(a=1, b=2) }} {{ dict({"x":1}, y=2) }} {{ dict([("p",1)]) }} {{ {} }} {{ {"a": 1, "a": 2} }} {{ {1: "x"}[1] }} {{ {(1,2): 3} }} {{ () }} {{ (1,) }}
{{ "<a>"|e }} {{ "<a>"|safe }} {{ "<" + ("<"|safe) }} {{ ("<"|safe) + "&" }} {{ "<" ~ ("<"|safe) }} {{ ["<"|e] }} {{ ("a"|safe) is escaped }} {{ "<"|e|e }} {{ "<"|e|forceescape }}
{{ "Hello World foo bar baz"|truncate(11) }} {{ "Hello World foo bar baz"|truncate(11, true) }} {{ "Hello World foo bar baz"|truncate(11, false, "!") }} {{ "Hello"|truncate(5) }} {{ "a b  c d"|wordcount }}
{{ lst|batch(2)|list }} {{ lst|batch(2, "x")|list }} {{ lst|reverse|list }} {{ "abc"|reverse }} {{ lst|string }} {{ "x".center(6) }}| {{ "x".ljust(3) }}| {{ "x".rjust(3, "0") }} {{ "7".zfill(3) }} {{ "-7".zfill(4) }} {{ "abc".center(6,"*") }} {{ "ab".center(5,"*") }}
{{ "abc".isdigit() }} {{ "123".isdigit() }} {{ "".isdigit() }} {{ "abc".isalpha() }} {{ "ab1".isalnum() }} {{ " ".isspace() }} {{ "Abc".isupper() }} {{ "abc".islower() }} {{ "hello world's".title() }} {{ "hello world's (x) a-b"|title }} {{ "hELLO".capitalize() }}
{{ "prefix-x".removeprefix("prefix-") }} {{ "x.py".removesuffix(".py") }}
{{ msgs|sort(attribute="role")|map(attribute="role")|list }} {{ msgs|sum(attribute="q") }}
{{ lst.append(3) }}
{{ undefinedvar.x }}
{{ undefinedvar + 1 }}
{{ none.x }}|{{ none.x is defined }}
{{ none.x.y }}
{{ n() }}
{{ nofunc() }}
{{ 1 + "a" }}
{{ "a" < 1 }}
{{ 1 / 0 }}
{{ raise_exception("no!") }}
{{ lst|nofilter }}
{{ lst is notest }}
{{ "abc" | first }} {{ []|first }} {{ [] | last }} {{ msgs|selectattr("role","equalto","zz")|first is defined }}
{{ strftime_now("%Y-%m-%d %d %B %b %a %A %H:%M:%S %j %y %-d %p %I %e %F %T %D %c %u %w %%") }}
{% if msgs|selectattr("role","equalto","zz") %}truthy{% endif %}{% if msgs|selectattr("role","equalto","zz")|list %}no{% else %}falsy{% endif %}
{% set g = lst|map("string") %}{{ g|join }}{{ g|join }}
{{ (lst|map("string"))|length }}
{{ loop is defined }}{% for i in [1] %}{% for j in [1,2] %}{{ loop.index }}{{ loop.depth }}{% endfor %}{{ loop.index }}{{ loop.depth }}{% endfor %}
{{ "a" "b" 'c' }} {{ 'a\tb\n\x41\u00e9\'' }} {{ "\q" }} {{ "\101" }}
{{ lst | length > 2 }} {{ -n }} {{ +n }} {{ -n|abs }} {{ - 3 ** 2 }} {{ 2 ** 3 ** 2 }} {{ 10 - 3 - 2 }} {{ 100 / 10 / 2 }} {{ 2 * 3 % 4 }}
{{ {"a": {"b": 1}}.a.b }} {{ [[1,2],[3]][0][1] }} {{ "abc"[1] }} {{ (1,2)[0] }} {{ [1,2,3].index(2) }} {{ [1,2,1].count(1) }}
{{ 1 == 1.0 }} {{ true == 1 }} {{ "1" == 1 }} {{ [1] == [1.0] }} {{ (1,) == [1] }} {{ {"a":1} == {"a":1.0} }} {{ none == false }} {{ undefinedvar == undefinedvar }} {{ undefinedvar == none }} {{ [1,2] < [1,3] }} {{ "a" < "b" }}
{{ 1.0 }} {{ 100000000000000000.0 }} {{ 1e16 }} {{ 123456789012345680.0 }} {{ 0.1 + 0.2 }} {{ 1/3 }} {{ 2/3 }} {{ 1e-5 }} {{ 10.0 ** 20 }} {{ 3.0 * 2 }} {{ 5 // 2.0 }}
{%- if true -%}   x   {%- endif -%}
{{ s | upper | lower | replace("hello", "bye") | trim }}
{{ undefinedvar|length }} {{ undefinedvar|list }} {{ undefinedvar|join }} {{ undefinedvar|trim }} {{ undefinedvar|string }} {{ "a" in undefinedvar }} {% for i in undefinedvar %}x{% endfor %} {{ undefinedvar|items|list }} {{ undefinedvar ~ "x" }}
{{ undefinedvar|tojson }}
{{ [undefinedvar] }} {{ {"a": undefinedvar} }}
{% set d2 = dict(d, **{"k": 9}) %}{{ d2.k }}{% macro kw(a, b) %}{{ a }}-{{ b }}{% endmacro %}{{ kw(*[1,2]) }} {{ kw(**{"a":1,"b":2}) }}
{% for m in msgs %}{{ m.role }}:{{ m.content }}:{{ m['n'] }}:{{ m.get('n', 'x') }};{% endfor %}
{% for a, b in [[1,2],[3,4]] %}{{ a }}{{ b }}{% endfor %}{% for a, (b, c) in [[1,[2,3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for a, b in [[1]] %}{% endfor %}
{{ msgs[0].role == "user" and msgs[1]["content"] is none }} {{ msgs[-1].role }} {{ msgs[1:][0].role }} {{ (msgs|last).role }} {{ msgs|length - 1 }}
{% if n %}a{% elif t %}b{% else %}c{% endif %}{% if z %}a{% elif t %}b{% else %}c{% endif %}{% if z %}a{% elif fl %}b{% else %}c{% endif %}
{% print 1, 2 %} {{ 1, 2 }} {{ (1, 2) }}
{{ "x" is in ["x"] }} {{ "abc" is filter }} {{ "upper" is filter }} {{ "odd" is test }} {{ m is callable }}
{{ true|string }} {{ True }} {{ False }} {{ None }} {{ [true, none] }} {{ true|lower }} {{ none|string|length }}
{{ "%.3f"|format(3.14159) }} {{ "%03d"|format(7) }} {{ "%s"|format(none) }} {{ "%5s|%-5s|"|format("a", "b") }} {{ "%+d"|format(5) }} {{ "%c" is string }}
{{ "abc"|map("upper")|join }} {{ d|map("upper")|list }} {{ d|list }} {{ d|first }} {{ d|join(",") }}
{{ [3,1]|sort|map("string")|join("|") }} {{ ["x","y"]|join(attribute="z") }}
{{ lst|map("nofilter")|list }}
{{ "a\r\nb" }}
{{ 9223372036854775807 }} {{ 9223372036854775807 - 1 }}
{{ big * 1000 }} {{ 5 * "ab" }} {{ -1 * "ab" }} {{ 1 ~ none ~ true ~ 1.5 ~ [1] }}
{{ "ß".upper() }} {{ "STRASSE".lower() }} {{ "ΑΣ".lower() }} {{ "ŉ".upper() }} {{ "ǆ".title() }} {{ "éa".capitalize() }} {{ "ДА".lower() }}
{{ namespace(a=1).a }} {% set n2 = namespace({"q": 3}) %}{{ n2.q }} {% set d.x = 4 %}
{% set loop = 3 %}{{ loop }}
{% for i in range(3) -%} {{ i }} {%- endfor %}
{{ messages_or or [] }} {{ (none or {}).get("a") }} {{ (d.a or {}).x }}
{% macro a() %}{% set v = 1 %}{{ v }}{% endmacro %}{{ a() }}{{ v }}{% set v = 5 %}{% macro b() %}{{ v }}{% endmacro %}{{ b() }}{% set v = 6 %}{{ b() }}
{{ [1,2,3]|map("float")|sum }} {{ ["1","2"]|map("int")|sum }} {{ [[1],[2]]|sum(start=[]) }}
{{ "a;b"|replace(";", "\n")|indent(3) }}
{{ x.y.z }}
{{ "é"|e }} {{ '"'|e }} {{ "'"|e }} {{ 1|e }} {{ none|e }}
{{ {"a":1}.items()|list|first|last }} {{ {"a":1}|items|first }} {{ ("a" ~ "b")|upper }} {{ "a" ~ "b"|upper }} {{ -1|abs }} {{ (-1)|abs }} {{ 1 + 1|string|length }}
{{ "a" if n > 3 and not fl else "b" }} {{ 1 if none is none else 2 }} {{ [x for x in lst] }}
{{ lst[0:2]|join }} {{ lst.0 }} {{ msgs.0.role }}
{% if undefinedvar %}a{% else %}b{% endif %}{% if not undefinedvar %}c{% endif %}{% if undefinedvar is not defined %}d{% endif %}
{{ "x"|default("y")|upper }} {{ ("x" , "y")|join }} {{ {"k": "v"}["k"] }} {{ {"k": "v"}.k }}
'''.strip("\n").split("\n")
S += ["  {% if true %}\n  a\n  {% endif %}\n b", "{% if true %}\n\n a{% endif %}\n\n", "a\n", "a\n\n", " {{ 1 }} \n {% set x = 1 %} \n{{ x }}", "{%- set x = 1 -%}\n\n {{ x }}", "a {%+ if true %}\n b{% endif +%}\nc", "\t{# c #}\nx", "x {# c #}\ny", "  {#- c -#}  y", "{{ '}}' }} {{ '%}' }}", "a\r\nb\rc\n{% if 1 %}\r\nx{% endif %}", "  {%- raw %}\n {{ x }} {% endraw -%}  y", "{{- 1 -}}  x  {{- 2 }}", "  {{ 1 }}\n  {%- if 1 %} z{% endif %}", "{% raw -%} a {%- endraw %}b\nc",
 "{{ 1 }", "{% if %}", "{% for x in %}{% endfor %}", "{% endif %}", "{{ }}", "{{ 'a }}", "{% if 1 %}", "{# x", "{{ a b }}", "{{ (1 }}", "{% foo %}", "{% set %}", "{{ 1 +}}", "{% macro %}", "{{ 'a'|}}", "{% for x in [1] %}{% else %}{% else %}{% endfor %}", "{% set 1 = 2 %}", "{{ {'a' 1} }}", "{{ a.1b }}", "{{ $ }}",
 "{% for c in 'ab' %}\n  {{ c }}\n{% endfor %}\nend", "{% set x %}\n a\n{% endset %}\n[{{ x }}]", "\u00a0{% if 1 %}x{% endif %}", "x\n\u00a0{% if 1 %}y{% endif %}", "a\n   {{ 1 }}\n   {% if 0 %}{% endif %}\nb", "{% if 1 %}  \n  x{% endif %}", "{%- for i in [1,2] %}\n{{ i }}\n{%- endfor %}\n"]


def dump(name, value):
    text = json.dumps(value, ensure_ascii=False, indent=0)
    (HERE / name).write_text(text + "\n")


rows = [{"template": s, "text": render(s, V)} for s in S]
dump("jinja.json", {"vars": V, "rows": rows})
conversations = json.loads((HERE / "conversations.json").read_text())
hashes = {"own": HERE / "templates"}
if sys.argv[1:]:
    hashes["foreign"] = Path(sys.argv[1]) / "templates"
for group, folder in hashes.items():
    hashes[group] = {}
    for path in sorted(folder.glob("*.jinja"), key=lambda p: p.name):
        with open(path, newline="") as file:
            template = file.read()
        hashes[group][path.name] = {}
        for name, variables in conversations.items():
            given = {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}
            text = render(template, {**given, **variables})
            hashes[group][path.name][name] = fnv(text)
dump("templates.json", hashes)
