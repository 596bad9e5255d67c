"""Small templates for text_parity_test.cpp, which test Python's strings, case mappings and numbers."""

SNIPPETS = [
    # Full case mappings: one character becomes two or three.
    "{{ 'straße ŉ ǰ ΐ և ẖ ẞ'|upper }} {{ 'ﬁ ﬃ ﬆ ﬓ'.upper() }} {{ 'ᾳ ᾼ ῷ'|upper }}",
    "{{ 'İI ıi K Å Ω'|lower }} {{ 'İ'.lower()|length }} {{ 'Ǆ ǅ ẞ Ꭰ Ა Ⅻ Ⓐ 𝐀 𐐀'.lower() }}",
    "{{ 'ǆ ǅ Ǆ ŉa ﬁn ßa ᾳ ᾼ ა և'.title() }} {{ 'ǆ ŉa ﬁn ßa ᾳ և'|title }}",
    "{{ 'ﬂUSS'|capitalize }} {{ 'ǆUNGLA'.capitalize() }} {{ 'ßÄ'.capitalize() }} {{ 'ŉX'|capitalize }} {{ ''|capitalize }}",
    "{{ 'aßΣ ǅ ﬀ Ⅳⅳ ⓐ ªº ʰ'.swapcase() }} {{ 'ß ﬁ ς İ ŉ ᾳ ẞ Ꭰ ꭰ Ა'.casefold() }}",
    # The sigma at the end of a word, after and before case-ignorable characters.
    "{{ 'ΟΔΥΣΣΕΥΣ'|lower }} {{ 'ΑΣ ΑΣ, ΑΣ.Β ΑΣ\u0301 ΑΣ\u0301Β'.lower() }} {{ 'Σ 1Σ ʰΣ ΑʰΣ Α1Σ Α-Σ Α·Σ'.lower() }}",
    "{{ 'ΣΑΣ ΣΑΣ'.title() }} {{ 'ΣΑΣ ΣΑΣ'|title }} {{ 'ΣΑΣ-ΣΑΣ'|capitalize }} {{ 'ςας ΑΣ'.swapcase() }}",
    "{{ 'ΑΣ' ~ '\u00ad' }}{{ ('ΑΣ' ~ '\u00ad').lower()|length }} {{ \"Α'Σ Σ'Α ΑΣ'\".lower() }} {{ 'ΑΣ’'.lower() }}",
    # Words.
    "{{ \"they're o'neil x-ray 3rd e\u0301cole mc²a ٣a ªb\".title() }} {{ \"they're o'neil x-ray 3rd e\u0301cole mc²a\"|title }}",
    "{{ 'a(b{c[d<e-f\u00a0g\u2028h\u200bi/j_k'|title }} {{ 'a(b{c[d<e-f\u00a0g\u2028h\u200bi/j_k'.title() }}",
    "{{ 'ÉCOLE éCOLE'|title }} {{ '  aB\tcD\n\neF '|title }}|{{ ''|title }}|{{ '-'|title }}",
    "{{ 'one two_three é\u0301 x² ٣ 一-二 \u200b'|wordcount }} {{ ''|wordcount }} {{ 'ª’s'|wordcount }}",
    # Character classes.
    "{% for c in ['²', '٣', '½', '一', 'ª', '\u0345', 'ʰ', 'Ⅷ', 'ⓐ', 'ǅ', '①', '፩', '\u0301', 'é', '', 'Aǅ', '𝟘', 'ー', 'ا', '\u00a0', '\u2028', '\x1c', '\u200b', '\u180e']"
    " %}{{ [c.isalpha(), c.isalnum(), c.isdecimal(), c.isdigit(), c.isnumeric(), c.islower(), c.isupper(), c.istitle(), c.isspace(), c.isprintable(), c.isascii(), c.isidentifier()]"
    "|map('int')|join }} {% endfor %}",
    "{{ 'ªº'.islower() }} {{ 'aǅ'.islower() }} {{ 'A1É'.isupper() }} {{ 'Ⅳ' is upper }} {{ 'ⓐ' is lower }} {{ '1' is lower }} {{ 'Ab Ǆb ǅa'.istitle() }} {{ \"They'Re\".istitle() }} {{ 'ABc'.istitle() }}",
    "{{ 'é_1'.isidentifier() }} {{ '1é'.isidentifier() }} {{ 'a·'.isidentifier() }} {{ '℘'.isidentifier() }} {{ 'ͺ'.isidentifier() }} {{ 'a²'.isidentifier() }} {{ 'for'.isidentifier() }}",
    # White space, lines, columns.
    "[{{ '\u00a0\u3000\x1c x \u2028\u0085'.strip() }}] [{{ '\u200b x \ufeff'|trim }}] [{{ 'éßxßé'.strip('ßé') }}] [{{ '×\u0085'.rstrip() }}]",
    "{{ 'a\u2003b\x1fc\u200bd\u0085e'.split() }} {{ ' a  b c '.split(none, 1) }} {{ '\u3000a\u3000b\u3000'.rsplit(none, 1) }} {{ 'aßßb'.split('ß') }}",
    "{{ 'a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i\r\nj\rk\n\nl\x1fm'.splitlines() }} {{ 'é\r\nb\u2028'.splitlines(true) }}",
    "{{ 'é\tb\n\tc\u0301\td'.expandtabs(4) }} {{ 'é\u2028x\x85y'|indent(2) }} {{ 'a\u2028\u2028b'|indent('·', true, true) }}",
    "{{ 'é'.center(6, '·') }} {{ '中文'.ljust(4) }}| {{ '😀'|center(4) }}| {{ '-é'.zfill(5) }} {{ 'e\u0301'.rjust(4, '中') }}",
    # Code points, not bytes.
    "{{ 'e\u0301😀'|length }} {{ '中文é😀'[1:3] }} {{ '中文é😀'[::-1] }} {{ 'aé😀'|reverse }} {{ 'xé😀x'.find('x', 1) }} {{ '😀é😀'.rindex('😀') }} {{ 'éé'.count('') }} {{ 'éa'.replace('', '-') }}",
    "{{ ['z', 'é', 'a', '😀', '\uffff', 'Z']|sort(case_sensitive=true) }} {{ '\uffff' < '😀' }} {{ 'Z' < 'a' }} {{ 'é' > 'z' }}",
    "{{ 'Ein längerer Text, in dem Wörter stehen'|truncate(20) }} {{ 'äöüßäöüßäöüß'|truncate(6, true, '…', 0) }} {{ 'kurz'|truncate(3) }}",
    # Filters that ignore case compare strings in lower case, without case folding.
    "{{ ['ß', 'SS', 'ẞ', 'ss']|unique|list }} {{ ['Σ', 'ς', 'σ']|unique|list }} {{ ['ΑΣ', 'ας', 'ασ']|unique|list }} {{ ['İ', 'i\u0307', 'I']|unique|list }}",
    "{{ ['Ä', 'ä', 'z', 'Z', 'É', 'e']|sort }} {{ {'Б': 1, 'а': 2, 'А': 3}|dictsort }} {{ ['é', 'É', 'Z']|min }} {{ ['Ω', 'ω', 'ä']|max }}",
    "{{ [{'k': 'É', 'v': 1}, {'k': 'a', 'v': 2}, {'k': 'é', 'v': 3}]|groupby('k') }} {% for g in [{'k': 'É'}, {'k': 'é'}]|groupby('k', case_sensitive=true) %}{{ g.grouper }}{{ g.list|length }}{% endfor %}",
    # repr() and JSON.
    "{{ ['\u0600', '\u00ad', '\u200b', '\ufeff', '\u2028', '\u3000', '\ue000', '\u0378', '\U000e0001', '\U0001f600', '\u0301', '\x7f', '\x85', '\xa0', 'é\"', \"'\", '\\\\'] }}",
    "{{ 'é\u2028\x7f😀</'|tojson }} {{ 'é\u2028\x7f😀\x01\\\\\"'|tojson(ensure_ascii=true) }} {{ {'é': '\u0600'} }}",
    # Numbers.
    "{{ '１２'|int + '٣'|int }} {{ '１.５e１'|float }} {{ '\u3000𝟗\u2003'|int }} {{ '\x1c5'|int }} {{ '²'|int }} {{ '１_０'|int }} {{ '−5'|int }} {{ '1__0'|int(7) }}",
    "{{ '0x_1F'|int(base=16) }} {{ 'ｆ'|int(3, 16) }} {{ '0b1１'|int(base=0) }} {{ '017'|int(3, 0) }} {{ '１z'|int(base=36) }} {{ '1_e5'|float(3) }} {{ 'in_f'|float(4) }} {{ '-9223372036854775808'|int }}",
    "{{ '1e400'|float }} {{ '-1e-400'|float }} {{ '.5'|float }} {{ '5.'|float }} {{ '１e'|float }} {{ 'Infinity'|float }} {{ '0.000000000000000000000000000001e30'|float }} {{ 1e400 }} {{ 2.675|round(2) }}",
    "{{ [{'٣': 1, 'a': ['x', 'y', 'z', 'é']}]|map(attribute='a.٣')|list }} {{ 1２ + 1_０ }} {{ 0x１f }}",
    # Formats.
    "{{ '%5s|%-5s|%.2s|%r|%a' % ('é', '中', 'ßßß', '\u0600é', 'é😀') }} {{ '%(ä)s' % {'ä': 'ü'} }} {{ '%c%c' % (233, '😀') }} {{ '%(a)3s|'|format(a='é') }}",
    "{{ '%05d|%+d|%-6d|%#x|%o|%.3d|% d' % (-42, 42, 42, 255, 8, 5, 7) }} {{ '%08.3f|%e|%G|%g|%#g|%.0f' % (-3.14159, 12345.678, 1e-7, 1e16, 1.0, 2.5) }}",
    "{{ '{:é^7}|{:>4}|{:.2}|{!r:8}|{!a}'.format('ß', '中', '😀😀😀', 'é', 'é') }} {{ '{0[1]} {x.k} {٠}'.format('aé', x={'k': 'ü'}) }} {{ '{:{w}}|'.format('é', w=4) }}",
    "{{ '{:,} {:_x} {:010,} {:+.2f} {:%} {:c} {:=+6} {:.3} {:e} {:n}'.format(1234567, 65535000, 1234, 2.5, 0.25, 233, 5, 1234.5, 0.1, 7) }}",
    # Names and strings in templates.
    "{% set größe = 3 %}{% set 变量 = {'ключ': 4} %}{{ größe + 变量.ключ }}{{ '\\é\\u00e9\\xe9\\351\\U0001F600' }}",
    "{{ a€ }}", "{{ x² }}", "{{ １x }}", "{{ １ }}", "{{ １.５ }}", "{{\u00a01\u3000}}{%\u2003if\x1c1 %}y{% endif %}",
    # Templates that Python rejects, too.
    "{{ 'x'.center(4, 'éé') }}", "{{ 'kurz'|truncate(2) }}", "{{ 'é'.split('') }}", "{{ '%d' % 'é' }}", "{{ '%y' % 1 }}", "{{ '{:d}'.format('é') }}", "{{ '{'.format(1) }}", "{{ [{}]|map(attribute='²')|list }}",
]
