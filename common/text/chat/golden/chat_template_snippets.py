"""Small templates for make_chat_template_golden.py, mostly of one or two lines. They can use NAMES and messages = [].
"""

NAMES = {
    "s": "Hello, World", "empty": "", "space": " \t a b\n ", "u": "\u00c4pfel \u4f60\u597d \U0001f600 stra\u00dfe", "n": 7, "neg": -3, "zero": 0,
    "f": 2.5, "big": 1e20, "small": 1.5e-7, "yes": True, "no": False, "nothing": None, "list": [3, 1, 2], "words": ["b", "A", "c", "a"],
    "nested": [[1, 2], [3], []], "d": {"b": 1, "a": [1, None, True], "C": {"x": "y"}}, "items_key": {"items": "mine", "get": 5},
    "people": [{"name": "Bo", "age": 30, "tags": ["x"]}, {"name": "al", "age": 25}, {"name": "Cy", "age": 30, "tags": []}],
    "lines": "one\n  two\n\nthree\n", "html": "<a href='x'>\"&\"</a>", "digits": "0042", "num": "3.75", "deep": {"a": {"b": {"c": 1}}},
}

SNIPPETS = """
{{ s }}|{{ empty }}|{{ missing }}|{{ nothing }}|{{ yes }}|{{ n }}|{{ f }}|{{ big }}|{{ small }}|{{ list }}|{{ d }}
{{ missing.x }}
{{ missing + 1 }}
{{ missing == missing2 }}{{ missing == none }}{{ missing|length }}{{ not missing }}{{ missing is defined }}
{% for x in missing %}a{% else %}none{% endfor %}
{{ missing[0] }}
{{ d.missing }}|{{ d['missing'] }}|{{ d.missing is defined }}
{{ d.missing.x }}
{{ 1 + 2 * 3 - 4 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }}
{{ 1.5 + 1 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 0.1 + 0.2 }} {{ 1e16 }} {{ 1e15 }} {{ 123456789.123 }} {{ 1e-5 }} {{ 0.0001 }} {{ 5e-324 }}
{{ 1 / 0 }}
{{ 1 % 0 }}
{{ 9223372036854775807 }} {{ -9223372036854775807 - 1 }}
{{ 'a' + 'b' }} {{ 'a' * 3 }} {{ 3 * 'a' }} {{ [1] + [2] }} {{ [1] * 2 }} {{ (1,) + (2, 3) }} {{ 'a' * -1 }}|
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [1] + (2,) }}
{{ 'a' ~ 1 ~ none ~ true ~ 1.0 ~ [1, 'x'] }}
{{ 1 ~ 2 + 3 }}
{{ 1 ~ 2 ~ 'x' * 3 }} {{ 'x' ~ 2 * 3 }} {{ -2 ** 2 }} {{ -n|abs }} {{ - -3 }} {{ +n }}
{{ true + 1 }} {{ true and 0 }} {{ 0 or 'x' }} {{ '' or none }} {{ not 1 }} {{ not not 1 }} {{ 1 and 2 or 3 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 3 > 2 > 1 }} {{ 1 == 1.0 }} {{ 1 == true }} {{ '1' == 1 }} {{ 1 != 2 }} {{ 2 >= 2 }} {{ 2 <= 1 }}
{{ 'a' < 'b' }} {{ 'B' < 'a' }} {{ [1, 2] < [1, 3] }} {{ (1, 2) == [1, 2] }} {{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1} }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ 'ell' in s }} {{ 'x' not in s }} {{ 1 in list }} {{ 'b' in d }} {{ 5 in d }} {{ not 1 in list }} {{ 'a' in words }} {{ '' in s }}
{{ 1 in 'abc' }}
{{ 1 in 5 }}
{{ 'yes' if n > 3 else 'no' }} {{ 'x' if false }}| {{ 1 if 0 else 2 if 0 else 3 }} {{ ('a' if yes else 'b') ~ 'c' }}
{{ ('x' if false).y }}
{{ list[0] }} {{ list[-1] }} {{ list[5] }}| {{ list[-5] }}| {{ s[0] }}{{ s[-1] }}{{ s[99] }}| {{ u[0] }}{{ u[6] }}{{ u[9] }} {{ list.0 }} {{ nested.0.1 }}
{{ list[1:] }} {{ list[:-1] }} {{ list[::-1] }} {{ list[::2] }} {{ s[1:4] }} {{ s[::-1] }} {{ u[:8] }} {{ u[-3:] }} {{ s[-100:3] }} {{ s[3:1] }}| {{ list[5:] }} {{ s[:] }} {{ s[10:2:-3] }}
{{ (1, 2, 3)[1:] }} {{ range(10)[2:4]|list }}
{{ list[::0] }}
{{ list['a'] }}| {{ d[0] }}| {{ s.upper() }} {{ s['upper']() }} {{ n.x }}| {{ nothing.x }}| {{ yes.x }}|
{{ list[1:'a'] }}
{{ d.b }} {{ d['b'] }} {{ d.C.x }} {{ d['C']['x'] }} {{ d.a[2] }} {{ deep.a.b.c }} {{ d.get('b') }} {{ d.get('q') }} {{ d.get('q', 5) }} {{ deep.get('a').get('b') }}
{{ items_key.items is callable }} {{ items_key['items'] }} {{ items_key.get('items') }} {{ items_key['get'] }} {{ d['items']()|list }} {{ d['keys']()|list }}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %} {% for k in d %}{{ k }}{% endfor %} {{ d.keys()|list }} {{ d.values()|list }} {{ d.items()|list }} {{ d|list }}
{{ d.keys() }} {{ d.items() }} {{ d.keys()|length }} {{ d.items()|first }}
{{ [1, 'a', "it's", 'q"', 'b\\n', None, True, 1.0, [], {}, ()] }} {{ (1,) }} {{ () }} {{ {'a': {'b': (1, 2)}} }} {{ 1, 2 }}
{{ ['\u00e4', '\U0001f600', '\\x00', '\\x7f', '\u00a0', '\u200b', '\\\\', '\\t'] }} {{ ['\\'', '"', '\\'"'] }}
{{ 'a' 'b' "c" }} {{ "\\u00e9\\x41\\n\\t\\\\" }} {{ '\\101\\q' }} {{ 'it\\'s' }}
{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_000 }} {{ 1.5e3 }} {{ 1E2 }} {{ 0 }} {{ 00 }}
{{ 007 }}
{{ 1. }}
{{ true }} {{ True }} {{ none }} {{ None }} {{ false }} {{ False }}
{{ s|upper }} {{ s|lower }} {{ 'ab cd-ef(gh' |title }} {{ 'hELLO wORLD'|capitalize }} {{ space|trim }}| {{ 'xxaxx'|trim('x') }} {{ u|upper }} {{ u|lower }} {{ 5|upper }}
{{ s.upper() }} {{ s.lower() }} {{ "they're bill's friends".title() }} {{ s.capitalize() }} {{ u.upper() }} {{ 'aBc'.swapcase() }} {{ space.strip() }}| {{ space.lstrip() }}| {{ space.rstrip() }}| {{ 'xyaxy'.strip('yx') }} {{ 'aab'.lstrip('a') }}
{{ 'a,b,,c'.split(',') }} {{ ' a  b c '.split() }} {{ 'a b c'.split(' ', 1) }} {{ 'a b c'.rsplit(' ', 1) }} {{ ' a  b c '.rsplit(none, 1) }} {{ ' a  b c '.split(none, 1) }} {{ 'abc'.split('x') }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a--b--c'.split('--') }} {{ 'a,b'.split(sep=',') }}
{{ 'a'.split('') }}
{{ 'abc'.split(1) }}
{{ s.startswith('Hell') }} {{ s.endswith(('x', 'ld')) }} {{ s.startswith('e', 1) }} {{ s.find('o') }} {{ s.find('zz') }} {{ s.rfind('o') }} {{ s.index('W') }} {{ s.count('l') }} {{ u.find('\u597d') }} {{ s.find('o', 5) }} {{ ''.find('') }} {{ s.find('', 99) }}
{{ s.index('zz') }}
{{ s.replace('l', 'L') }} {{ s.replace('l', 'L', 1) }} {{ 'aaa'.replace('a', 'b', 2) }} {{ 'ab'.replace('', '-') }} {{ 'ab'.replace('', '-', 2) }} {{ s|replace('o', '0') }} {{ s|replace('l', '', 2) }} {{ 101|replace(1, 'x') }} {{ ''.replace('', 'x') }}
{{ ', '.join(['a', 'b']) }} {{ '-'.join('abc') }} {{ ''.join([]) }}|
{{ ', '.join([1]) }}
{{ 'a\\nb\\r\\nc\\n'.splitlines() }} {{ 'a|b|c'.partition('|') }} {{ 'a|b|c'.rpartition('|') }} {{ 'ab'.partition('x') }} {{ 'ab'.rpartition('x') }} {{ 'pre-x'.removeprefix('pre-') }} {{ 'x.py'.removesuffix('.py') }}
{{ '7'.zfill(3) }} {{ '-7'.zfill(4) }} {{ 'a'.ljust(3) }}| {{ 'a'.rjust(3, '.') }} {{ 'a'.center(4, '*') }} {{ 'ab'.center(5, '*') }} {{ 'ab'|center(6) }}|
{{ 'abc'.isalpha() }} {{ 'a1'.isalnum() }} {{ '12'.isdigit() }} {{ ' '.isspace() }} {{ 'AB'.isupper() }} {{ 'ab1'.islower() }} {{ ''.isalpha() }} {{ '1'.isupper() }} {{ u.isalpha() }} {{ '\u00e4'.islower() }}
{{ '{} and {}'.format('a', 1) }} {{ '{1}{0}'.format('a', 'b') }} {{ '{x}'.format(x=3) }} {{ '{{}}'.format() }}
{{ '{}'.format() }}
{{ '%s is %d' % ('x', 3) }} {{ '%s' % 'a' }} {{ '%.2f' % 3.14159 }} {{ '%d%%' % 5 }} {{ '%s' % none }} {{ '%(a)s' % {'a': 1} }} {{ '%s'|format('x') }} {{ '%r' % 'x' }} {{ '%x' % 255 }}
{{ '%s %s' % 'x' }}
{{ '%d' % 'x' }}
{{ s.nosuch() }}
{{ s.upper(1) }}
{{ list.append(4) }}
{{ d.update({'a': 1}) }}
{{ d.pop('a') }}
{{ list.append }}{{ list.index(1) }} {{ list.count(3) }} {{ [1, 1].count(1) }} {{ (1, 2).index(2) }}
{{ list.index(9) }}
{{ n() }}
{{ 'a'.__class__ }}|
{{ list|length }} {{ s|length }} {{ u|length }} {{ d|length }} {{ list|count }} {{ ''|length }} {{ range(5)|length }}
{{ 5|length }}
{{ none|length }}
{{ missing|default('x') }} {{ nothing|default('x') }} {{ nothing|default('x', true) }} {{ empty|default('x') }} {{ empty|default('x', boolean=true) }} {{ missing|d }}| {{ d.q|default([]) }} {{ 0|d(1, true) }}
{{ missing.a|default('x') }}
{{ list|join }} {{ list|join(', ') }} {{ people|join(',', attribute='name') }} {{ words|join('') }} {{ 'abc'|join('-') }} {{ d|join }} {{ [none, 1, 'a', missing]|join('|') }} {{ []|join(',') }}|
{{ list|first }} {{ list|last }} {{ s|first }} {{ s|last }} {{ []|first }}| {{ []|last }}| {{ d|first }} {{ d|last }} {{ range(3)|last }}
{{ list|sort }} {{ words|sort }} {{ words|sort(case_sensitive=true) }} {{ list|sort(reverse=true) }} {{ people|sort(attribute='age')|map(attribute='name')|join(' ') }} {{ people|sort(attribute='age,name')|map(attribute='name')|list }} {{ people|sort(true, false, 'age')|map(attribute='name')|list }} {{ 'bca'|sort }} {{ [(2, 'a'), (1, 'b')]|sort }}
{{ [1, 'a']|sort }}
{{ [none, 1]|sort }}
{{ words|unique|list }} {{ words|unique(case_sensitive=true)|list }} {{ [1, 1.0, true, 2]|unique|list }} {{ people|unique(attribute='age')|map(attribute='name')|list }}
{{ [[1], [1]]|unique|list }}
{{ list|reverse|list }} {{ s|reverse }} {{ (1, 2)|reverse|list }} {{ range(3)|reverse|list }} {{ list|map('string')|reverse }}
{{ list|min }} {{ list|max }} {{ words|min }} {{ words|max }} {{ []|min }}| {{ people|max(attribute='age') }} {{ 'hello'|max }}
{{ list|sum }} {{ people|sum(attribute='age') }} {{ list|sum(start=10) }} {{ []|sum }} {{ [1.5, 2]|sum }} {{ [[1], [2]]|sum(start=[]) }}
{{ words|sum }}
{{ d|dictsort }} {{ d|dictsort(case_sensitive=true) }} {{ {'x': 2, 'y': 1}|dictsort(by='value') }} {{ {'x': 2, 'y': 1}|dictsort(reverse=true) }}
{{ d|dictsort(by='value') }}
{{ d|items|list }} {{ missing|items|list }} {% for k, v in d|items %}{{ k }}{% endfor %}
{{ list|items|list }}
{{ list.copy() }} {{ d.copy() == d }}{{ list.clear is defined }}{{ d.update is callable }}
{{ list.sort() }}
{{ list|list }} {{ 'abc'|list }} {{ d|list }} {{ range(3)|list }} {{ missing|list }}
{{ 5|list }}
{{ words|map('upper')|list }} {{ words|map('upper')|join(',') }} {{ people|map(attribute='name')|list }} {{ people|map(attribute='tags', default='-')|list }} {{ people[:1]|map(attribute='tags.0')|list }} {{ list|map('string')|map('length')|list }} {{ []|map('upper')|list }} {{ words|map('replace', 'a', 'z')|list }} {{ nested|map('first')|list }}
{{ words|map|list }}
{{ words|map('nosuch')|list }}
{{ list|select('odd')|list }} {{ list|select('gt', 1)|list }} {{ list|reject('odd')|list }} {{ [0, 1, '', 'a', none]|select|list }} {{ [0, 1]|reject|list }} {{ words|select('equalto', 'a')|list }} {{ words|select('in', ['a', 'b'])|list }} {{ words|reject('equalto', 'a')|join(', ') }}
{{ people|selectattr('age', 'equalto', 30)|map(attribute='name')|list }} {{ people|selectattr('tags')|map(attribute='name')|list }} {{ people|rejectattr('tags')|map(attribute='name')|list }} {{ people|selectattr('tags', 'defined')|list|length }} {{ people|selectattr('name', 'in', ['al'])|first }} {{ people|rejectattr('age', '==', 30)|list }} {{ people|selectattr('age', '>', 26)|map(attribute='age')|sum }}
{{ list|select('odd') is iterable }} {{ list|select('odd') is sequence }} {{ (list|select('odd'))[0] }}|
{{ list|select('odd')|length }}
{{ list|select('odd')|last }}
{% set it = list|select('odd') %}{{ it|list }}{{ it|list }}{% if it %}true{% endif %}
{{ [1, 2, 3, 4, 5]|batch(2)|list }} {{ [1, 2, 3]|batch(2, 0)|list }} {{ []|batch(2)|list }}
{{ n|string + 'x' }} {{ f|string }} {{ none|string }} {{ missing|string }}| {{ list|string }} {{ true|string }}
{{ '42'|int }} {{ ' 42 '|int }} {{ '4.7'|int }} {{ 'x'|int }} {{ 'x'|int(5) }} {{ 4.7|int }} {{ -4.7|int }} {{ '0x1f'|int(0, 16) }} {{ 'ff'|int(base=16) }} {{ none|int }} {{ true|int }} {{ '1_000'|int }} {{ digits|int }} {{ ''|int(-1) }} {{ [1]|int }}
{{ '4.5'|float }} {{ '1e3'|float }} {{ 'x'|float }} {{ 'x'|float(1.5) }} {{ 3|float }} {{ ' 2 '|float }} {{ 'inf'|float }} {{ '-nan'|float }} {{ none|float }} {{ '.5'|float }} {{ '5.'|float }} {{ '0x1'|float }}
{{ missing|int }}
{{ 2.5|round }} {{ 3.5|round }} {{ 2.675|round(2) }} {{ 2.1|round(0, 'ceil') }} {{ 2.9|round(method='floor') }} {{ 7|round }} {{ 7|round(1, 'ceil') }} {{ -2.5|round }} {{ 1234.5678|round(2) }} {{ 2.5|round|int }} {{ 42.55|round(1, 'floor') }}
{{ -3|abs }} {{ neg|abs }} {{ -2.5|abs }} {{ true|abs }}
{{ 'a'|abs }}
{{ lines|indent }}|{{ lines|indent(2, true) }}|{{ lines|indent(2, blank=true) }}|{{ lines|indent('> ') }}|{{ 'a'|indent }}|{{ ''|indent(2, true) }}|{{ lines|indent(width=1, first=true) }}
{{ 5|indent }}
{{ html|e }} {{ html|escape }} {{ html|safe }} {{ 5|e }} {{ html|forceescape }}
{{ d|tojson }} {{ list|tojson }} {{ s|tojson }} {{ u|tojson }} {{ nothing|tojson }} {{ yes|tojson }} {{ f|tojson }} {{ html|tojson }} {{ "a\\n\\"\\\\/\\x01\\x7f"|tojson }} {{ (1, 2)|tojson }} {{ [] |tojson }} {{ {}|tojson }} {{ big|tojson }} {{ 1.0|tojson }}
{{ d|tojson(indent=2) }}|{{ [1, [2, []], {}]|tojson(indent=4) }}|{{ {}|tojson(indent=2) }}|{{ d|tojson(indent=0) }}|{{ list|tojson(indent='--') }}
{{ d|tojson(sort_keys=true) }} {{ u|tojson(ensure_ascii=true) }} {{ d|tojson(separators=(',', ':')) }} {{ d|tojson(separators=[',', ': '], indent=1) }} {{ d|tojson(true) }} {{ {1: 2, none: 3, true: 4, 1.5: 5}|tojson }}
{{ missing|tojson }}
{{ range(3)|tojson }}
{{ d.keys()|tojson }}
{{ list|nosuch }}
{{ list is nosuch }}
{{ d|attr('items') is callable }} {{ d|attr('b') }}| {{ s|attr('upper') is callable }}
{{ n is number }} {{ f is number }} {{ yes is number }} {{ s is number }} {{ n is integer }} {{ yes is integer }} {{ f is float }} {{ n is float }} {{ yes is boolean }} {{ n is boolean }} {{ s is string }} {{ d is mapping }} {{ list is mapping }} {{ list is sequence }} {{ s is sequence }} {{ d is sequence }} {{ n is sequence }} {{ list is iterable }} {{ n is iterable }} {{ s is iterable }} {{ nothing is none }} {{ missing is none }}
{{ missing is defined }} {{ missing is undefined }} {{ d.b is defined }} {{ n is defined and n > 3 }} {{ missing is not defined or missing.x }} {{ missing is sequence }} {{ missing is iterable }} {{ missing is string }}
{{ 3 is odd }} {{ 4 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(4) }} {{ 3 is not odd }} {{ 1 is true }} {{ true is true }} {{ false is false }} {{ 0 is false }} {{ 'a' is eq 'a' }} {{ 1 is equalto 1.0 }} {{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 2 is ge 2 }} {{ 'a' is in ['a'] }} {{ 'a' is not in 'abc' }} {{ 1 is sameas 1 }} {{ true is sameas true }} {{ none is sameas none }} {{ 'ab' is lower }} {{ 'AB' is upper }} {{ 'upper' is filter }} {{ 'x' is filter }} {{ 'odd' is test }}
{{ 's' is odd }}
{{ 1 is divisibleby 0 }}
{{ range is callable }} {{ n is callable }} {{ namespace is callable }} {{ missing is callable }} {{ s.upper is callable }} {{ html is escaped }}
{{ 1 is odd is true }}
{% if n %}a{% endif %}{% if zero %}b{% elif n == 7 %}c{% else %}d{% endif %}{% if nothing %}e{% elif 0 %}f{% else %}g{% endif %}
{% if list and d and s and not empty %}y{% endif %}{% if {} or [] or '' or 0 or 0.0 or none %}y{% else %}n{% endif %}
{% for x in list %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}
{% for x in list %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }};{% endfor %}
{% for x in [1, 1, 2, 2, 1] %}{% if loop.changed(x) %}{{ x }}{% endif %}{% endfor %}
{% for x in list if x > 1 %}{{ x }}/{{ loop.length }}{% else %}none{% endfor %}{% for x in list if x > 9 %}{{ x }}{% else %}none{% endfor %}
{% for a, b in [(1, 2), [3, 4]] %}{{ a }}-{{ b }} {% endfor %}{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for k, v in {'x': 1}.items() %}{{ k }}{{ v }}{% endfor %}{% for c in 'a\u00e4' %}{{ c }}.{% endfor %}
{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for i in range(3) %}{% for j in range(3) %}{% if j == 1 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}
{% break %}
{% for x in list %}{{ x }}{% break %}{% else %}none{% endfor %} {% for x in list %}{% if x > 2 %}{% continue %}{% endif %}{{ x }}{% else %}none{% endfor %}
{% for x in list %}{% set y %}a{% if x == 1 %}{% continue %}{% endif %}b{% endset %}{{ y }}{{ x }}{% endfor %} {% for x in list %}{% filter upper %}a{% break %}{% endfilter %}{% endfor %}|
{% for x in list %}{% set y = x %}{{ y }}{% endfor %}{{ y }}|
{% set y = 0 %}{% for x in list %}{% set y = y + x %}{{ y }} {% endfor %}{{ y }}
{% set ns = namespace(total=0, last='') %}{% for x in list %}{% set ns.total = ns.total + x %}{% set ns.last = x %}{% endfor %}{{ ns.total }} {{ ns.last }} {{ ns.nosuch }}| {{ ns['total'] }}|
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{% set ns.a = 5 %}{{ ns.a }}
{% set ns = namespace(_x=1) %}
{% set d.b = 1 %}
{% set nosuch.b = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d2) = [3, 4] %}{{ c }}{{ d2 }}{% set t = 1, 2 %}{{ t }}{% set e = (1) %}{{ e }}
{% set a, b = [1] %}
{% set x %}block {{ n }}{% endset %}[{{ x }}]{% set y | upper | trim %} abc {% endset %}[{{ y }}]{% set z | replace('a', 'b') %}aaa{% endset %}{{ z }}
{% set x = 1 %}{% set z %}{% set x = 2 %}{{ x }}{% endset %}{{ x }}{{ z }}
{% if true %}{% set inside = 1 %}{% endif %}{{ inside }}
{% set messages = [1] + messages %}{{ messages }}
{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}| {% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}|
{% macro f(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(1) }} {{ f(1, 3) }} {{ f(1, c=5) }} {{ f(b=1, a=2) }} {{ f() }} {{ f(1) ~ '!' }} {{ f(1)|upper }} {{ f.name }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(x=2) }}
{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, a=3) }}
{% macro f(a) %}{{ n }}{{ later }}{{ a }}{% endmacro %}{% set later = 5 %}{{ f(1) }}{% set later = 9 %}{{ f(2) }}
{% macro f(a) %}{% set n = a %}{{ n }}{% endmacro %}{{ f(1) }}{{ n }}
{% macro fact(i) %}{% if i <= 1 %}1{% else %}{{ i * fact(i - 1)|int }}{% endif %}{% endmacro %}{{ fact(5) }}
{% macro list_of(items) %}<{% for i in items %}{{ i if i is not sequence or i is string else list_of(i) }},{% endfor %}>{% endmacro %}{{ list_of([1, [2, [3, 'x']], []]) }}
{% macro outer() %}{{ caller() }}-{{ caller() }}{% endmacro %}{% call outer() %}in {{ n }}{% endcall %}
{% macro outer() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) outer() %}{{ a }}{{ b }}{% endcall %}
{% macro f(a, b=a) %}{{ b }}{% endmacro %}{{ f(3) }} {% macro g(a, b=a ~ 'x', c=b) %}{{ c }}{% endmacro %}{{ g(1) }}
{% macro f(x) -%} {{ x }} {%- endmacro %}[{{ f('a') }}]
{{ f(1) }}{% macro f(x) %}{{ x }}{% endmacro %}
{% for x in [1, 2] %}{% macro f() %}{{ x }}{% endmacro %}{{ f() }}{% endfor %}
{{ [1, 2, 3]|map('string')|join('+') }} {% set parts = [] %}{% for x in list %}{% set parts = parts + [x] %}{% endfor %}{{ parts }}
{% macro f(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ f(*[1, 2]) }}{{ f(**{'a': 1, 'b': 2}) }}{{ f(*[1], b=3) }}
{% filter upper %}abc {{ s }}{% endfilter %}{% filter replace('a', 'b')|trim %} aaa {% endfilter %}|
{% generation %}answer {{ n }}{% endgeneration %}|{% generation %}{% set hidden = 1 %}{% endgeneration %}{{ hidden }}
{{ raise_exception('no') }}
{% if false %}{{ raise_exception('no') }}{% endif %}ok
{{ dict(a=1, b=2) }} {{ dict([('x', 1)]) }} {{ dict({'a': 1}, b=2) }} {{ dict() }}
{{ range(3) }} {{ range(1, 3) }} {{ range(5, 0, -2)|list }} {{ range(0)|list }} {{ range(3)[1] }} {{ 1 in range(3) }}
{{ range(1000000) }}
{{ range('a') }}
{% set j = joiner(', ') %}{% for x in list %}{{ j() }}{{ x }}{% endfor %}
{% raw %}{{ not }} {% this %}{% endraw %} {%- raw -%}  {{ x }}  {%- endraw -%}  end
{%if n%}a{%endif%}{%-if n-%} b {%-endif-%}
{% if %}{% endif %}
{% if n %}
{{ n
{{ }}
{% %}
{% nosuch %}
{% endif %}
{{ n n }}
{{ 'a }}
{# open
{{ (1 }}
{{ 1) }}
{{ [1, 2 }}
{{ a.b. }}
{{ 1 + }}
{{ not }}
{% for in x %}{% endfor %}
{% set 1 = 2 %}
{% set none = 2 %}
{{ f(a=1, 2) }}
{% macro f(a=1, b) %}{% endmacro %}
{% include 'x' %}
{{ n ; }}
{{ n ! }}
{{ n & 1 }}
{{ [1, 2,] }} {{ (1, 2,) }} {{ {'a': 1,} }} {{ [] }} {{ s.replace('H', 'J',) }}
{{ {'a': 1}.a }} {{ [1, 2][0] }} {{ 'abc'[1] }} {{ (1, 2)[1] }} {{ 'abc'.upper()[0].lower() }} {{ {1: 'x'}[1] }} {{ {1: 'x'}[1.0] }} {{ {true: 'x'}[1] }} {{ {none: 3}[none] }} {{ {(1, 2): 3}[(1, 2)] }} {{ {(1, 2): 3}[1, 2] }}
{{ {[1]: 2} }}
{{ {'a': 1, 'a': 2} }} {{ {'a': 1, 'b': missing} }} {{ [missing, none] }}
{{ n.real }}|{{ s.x.y }}
{% for item in people recursive %}{{ item.name }}{% endfor %}
{% for item in [{'n': 1, 'c': [{'n': 2}, {'n': 3, 'c': [{'n': 4}]}]}] recursive %}{{ item.n }}:{{ loop.depth }}{% if item.c %}({{ loop(item.c) }}){% endif %}{% endfor %}
{% for x in list %}{{ loop(x) }}{% endfor %}
{% for x in list %}{% for y in list %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}
{% for x in list %}{% set outer = loop %}{% for y in 'ab' %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}
{{ loop }}|{{ loop is defined }}
{% for x in [] %}{% else %}{{ loop is defined }}{% endfor %}
{{ people[0].name ~ ' ' ~ people[-1]['name'] }} {{ people|map(attribute='name')|map('lower')|sort|join('|') }} {{ (people|first).tags[0] }}
{{ (s|upper) ~ (s|lower) }} {{ (1, 2)|length }} {{ -1|abs }} {{ (-1)|abs }} {{ 2 * 3|string }} {{ s|replace('H', 'h')|first|upper }} {{ 'a' if s is string and not n is string }}
{{ 10|string|length }} {{ n|string|int + 1 }} {{ '5'|int * 2 }} {{ not n|int == 7 }} {{ n in [7] and 'x' or 'y' }}
{{ true|tojson }}{{ none|tojson }}{{ 'x'|tojson|length }} {{ {'a': 'b'}|tojson|replace('"', "'") }} {{ [1]|tojson ~ '!' }}
{{ 'a\\tb' }}|{{ 'tab\\\\n' }}|{{ "don't" }}|{{ 'say "hi"' }}
{{ 1 if missing else 2 }} {{ missing or 'd' }} {{ missing and 'd' }}| {{ [missing]|length }} {{ missing ~ 'x' }} {{ (missing, 1)|first is defined }}
{{ 3.0 }} {{ 3.10 }} {{ 1e3 }} {{ 1.5e300 * 1e10 }} {{ -0.0 }} {{ 0.1 }} {{ 1/3 }} {{ 100000000000000000.0 }} {{ 1e22 }} {{ 12345678901234567.0 }} {{ 2.0 ** 70 }} {{ 0.00001234 }}
{{ 'ABC'|lower|list|reverse|join }} {{ 'a b'|title }} {{ '\u00df'|upper }} {{ '\u00df'.capitalize() }} {{ '\u00c9COLE'|capitalize }}
{{ strftime_now is defined }} {{ raise_exception is defined }} {{ nothing is sameas none }}
{% set content = 'x<think>y</think>z' %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1].lstrip('\\n') %}{% endif %}{{ content }}
{% set content = '<think>\\na\\n</think>\\n\\nb' %}{{ content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') }}|{{ content.split('</think>')|last|trim }}
{%- for message in [{'role': 'user', 'content': [{'type': 'text', 'text': 'a'}, {'type': 'image'}]}] %}{%- if message.content is string %}{{ message.content }}{%- else %}{%- for part in message['content'] %}{%- if part['type'] == 'text' %}{{ part['text'] }}{%- elif 'image' in part or part.type == 'image' %}<img>{%- endif %}{%- endfor %}{%- endif %}{%- endfor %}
{%- set ns = namespace(found=false) -%}{%- for m in [{'role': 'user'}, {'role': 'tool'}][::-1] -%}{%- if m.role == 'user' and not ns.found -%}{%- set ns.found = true -%}{{ loop.index0 }}{%- endif -%}{%- endfor -%}
{% set index = (list|length - 1) - 1 %}{{ index }} {{ list[index] }} {{ list[list|length - 1] }}
{{ ("a" if true else "b") + ("c" if false else "d") }}{{ "x" + ("y" if false) }}
{{- 'a' -}} {{- 'b' -}} {{ 'c' }}
""".strip("\n").split("\n")

# White space around tags, in several lines.
SNIPPETS += [
    "{# comment #}a{# multi\nline #}b{#- strip -#} c", "  {% if true %}\n    x\n  {% endif %}\ny\n", "a {%- if true %} b {% endif -%} c\n",
    "a{% if true -%}   b   {%- endif %}c", "{% for x in list %}\n{{ x }}\n{% endfor %}\nend\n\n", "{% for x in list -%}\n  {{ x }}\n{%- endfor %}",
    "{{- s -}}   x\n  {#- c #}  y\n  {# c #}\nz", "  {%+ if true %}a{% endif %}\nb", "{% if true +%}\na{% endif %}", "  {{ s }}  \n\n",
    "{% if true %}\n\na\n\n{% endif %}\n", "  {%- set x = 1 %}\n  {{ x }}", "\t{% set x = 1 %}  \t{{ x }}", "x {% set x = 1 %} {{ x }}",
    "a\n  {% raw %}\n x\n  {% endraw %}\nb", "a\r\nb\rc\r\n", "\r\n", "\n", "", " ", "a\n\n", "{{ 'multi\nline' }}", "{{ s\n}}\n",
    "{%\n  set x =\n 1\n%}\n{{\nx }}", "{% if n %}{# c #}\n  {# d #}\n{% endif %}x", "a {#+ c +#}\n b", "{#- a -#}\n\n b {#-#} c", "{{ s }}\n{% set x = 1 -%}\n\n  y",
    "\u3000{%- if n -%}\u3000a\u00a0{%- endif %}", "\u3000{% if n %}\n\u2003{% endif %}b", "  {% raw -%}  a  {%- endraw %}  \n", "{% raw %}\n{{ a }}\n{% endraw %}\n",
    "{% for x in list %}\n  {%- if x > 1 %}\n    {{- x }}\n  {%- endif %}\n{%- endfor %}\n", "  {%- for x in list %}\n  {{ x }}\n  {%- endfor -%}  \n end",
    "    {% for x in list %}\n    {{ x }}\n    {% endfor %}\n", "{% set x %}\n a\n{% endset %}\n[{{ x }}]", "{% macro f() %}\n  m\n{% endmacro %}\n{{ f() }}\n",
    "{{ '{{' }} {{ '}}' }} {{ '%}' }} {{ {'a': {'b': 1}}['a']['b'] }} {{ {'a': 1}}}", "{{ s }}{% if true %}\n{% endif %}\n", "a{% if true %} {% endif %}  {% if true %}b{% endif %}",
    "{%- if true %}  \n  a\n{%- endif %}", "{{ 1 }}\n\n{%- if true %}x{% endif %}", "line1\n   {{- 1 }}\n   {{ 2 -}}\n   line4",
]
