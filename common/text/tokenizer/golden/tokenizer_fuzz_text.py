"""The training text and the random texts of make_tokenizer_fuzz.py."""
import random
import unicodedata

TRAINING_TEXT = """The quick brown fox jumps over the lazy dog, and the dog doesn't mind: it's warm in the sun.
In the morning the old woman went down to the river with her two children to fetch water for the garden.
They'll say that we've seen nothing yet; I'd rather wait until they're back from the mountains with the others.
"What is it that you want?" said the king. "Nothing," answered the miller's son, "but the key to the northern tower."
On 14 March 1879 there were 3,141 houses; by 2024 there were 27,182 of them (818 of stone, 2,845 of wood).
for (int i = 0; i < count; ++i) { total += values[i] * weight; if (total > limit) return false; }
def merge(left, right):\n    return [x for x in left if x not in right] + right  # order matters
Die schönen Mädchen gehen über die Brücke und grüßen den Müller, der größer ist als sein Bruder.
Le garçon a été très fâché de n'être pas allé à l'école où l'élève préféré récitait sa leçon.
El niño pequeño comió una piña mañana por la mañana; ¿quién se lo habrá dicho?
Быстрая лиса перепрыгнула через ленивую собаку, и собака ничего не сказала, потому что было тепло.
Η γρήγορη αλεπού πηδάει πάνω από το τεμπέλικο σκυλί κάθε πρωί δίπλα στο ποτάμι.
敏捷的狐狸跳过了懒狗。今天天气很好，我们去河边走走吧。他说：“不，我要在家里读书。”
すばやい狐がのろまな犬を飛び越えた。今日はとても天気がいいので、川へ行きましょう。ドアをしめてください。
빠른 여우가 게으른 개를 뛰어넘었다. 오늘은 날씨가 아주 좋으니 강가로 산책을 갑시다.
الثعلب السريع يقفز فوق الكلب الكسول، والجو اليوم جميل جدا فلنذهب إلى النهر.
तेज़ लोमड़ी आलसी कुत्ते के ऊपर कूदती है और कुत्ता कुछ नहीं कहता है।
สุนัขจิ้งจอกกระโดดข้ามสุนัขขี้เกียจ วันนี้อากาศดีมาก ไปเดินเล่นที่แม่น้ำกันเถอะ
Nhanh chóng con cáo nâu nhảy qua con chó lười biếng; hôm nay trời đẹp, chúng ta hãy ra sông.
Zażółć gęślą jaźń, a potem idź nad rzekę i przynieś świeżą wodę dla ogrodu.
\U0001f600 \U0001f680 \U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001f1e9\U0001f1ea \u2014 \u2026 \u20ac \u00a9 \u00bd \u2167
"""

SCRIPTS = [(0x21, 0x7E), (0x30, 0x39), (0xA1, 0xFF), (0x100, 0x24F), (0x250, 0x2AF), (0x300, 0x36F), (0x370, 0x3FF),
           (0x400, 0x52F), (0x530, 0x5FF), (0x600, 0x6FF), (0x700, 0x7BF), (0x900, 0x97F), (0x980, 0xBFF),
           (0xE00, 0xEFF), (0xF00, 0xFFF), (0x1000, 0x10FF), (0x1100, 0x11FF), (0x1680, 0x17FF), (0x1800, 0x18AF),
           (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x218F), (0x2190, 0x23FF), (0x2460, 0x27BF), (0x2C00, 0x2E7F),
           (0x3000, 0x30FF), (0x3130, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3),
           (0xE000, 0xE0FF), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFE6F), (0xFF00, 0xFFEF), (0x10000, 0x107FF),
           (0x10900, 0x1134F), (0x1D100, 0x1D7FF), (0x1E900, 0x1E95F), (0x1F000, 0x1FAFF), (0x20000, 0x2A6DF),
           (0xE0100, 0xE01EF)]
FRAGMENTS = ["'s", "'LL", "'Re", "'\u017f", " 'd", "n't", "\r\n", "\n\n", "\n \n", "  ", "   ", "\t", "\t \t", "\u00a0", "\u3000",
             "\u2028", "\u200b", "\u200d", "\ufeff", "\u180e", "\u2581", "\u2581\u2581", "\x00", "\x01", "\x7f", "\x85", "\ufffd",
             "<s>", "</s>", "<mask>", " <mask> ", "[MASK]", "[UNK]", "[SEP]x", "<|im_end|>", "<|endoftext|>", "<note>", "note",
             " note ", "STOP  ", "Ünï", "été", "éte\u0301", "<0x41>", "<unk>", "##s", "</w>", "\u0130", "\u01c5", "\ufb01",
             "\u1e9b\u0323", "e\u0301\u0323", "\u0344", "\u2126", "\u212b", "\uac00\u11a8", "\u1100\u1161\u11a8", "\u0958",
             "\u0f73\u0f71", "\U0001d15e", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f44d\U0001f3fd",
             "\U0001f1e9\U0001f1ea\U0001f1eb", "\u2764\ufe0f", "1234567", "0.5", "\u0661\u0662", "\u00b2\u00bd", "\u2460",
             "aaaaaaaaaaaaaaaaaaaa", "....", "!!!???", "--", "=>", "_x_", "http://a.b/c?d=e&f", "\u0e33", "\u0eb3", "\u0915\u094d\u0937"]


def assigned(first: int, last: int) -> list[str]:
    return [chr(c) for c in range(first, last + 1) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]


def random_texts(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    words = TRAINING_TEXT.split(" ")
    scripts = [chars for first, last in SCRIPTS if (chars := assigned(first, last))]

    def piece() -> str:
        kind = rng.random()
        if kind < 0.35:
            return rng.choice(words)
        if kind < 0.50:
            return rng.choice(FRAGMENTS)
        if kind < 0.60:
            return " " * rng.choice([1, 1, 1, 2, 3, 9])
        if kind < 0.66:
            return rng.choice(words)[:rng.randrange(1, 6)].upper()
        if kind < 0.76:
            return rng.choice(scripts[rng.randrange(len(scripts))]) * rng.choice([1, 1, 1, 1, 2, 5])
        if kind < 0.80:
            return "".join(rng.choices("".join(scripts[5]), k=rng.randrange(1, 5)))
        chars = rng.choice(scripts)
        return "".join(rng.choices(chars, k=rng.randrange(1, 8)))

    texts = ["", " ", "  ", "\n", "a", " a", "a ", "\u2581", "\u2581a", "<s>"]
    while len(texts) < count:
        glue = rng.choice(["", " ", " "])
        texts.append(glue.join(piece() for _ in range(rng.randrange(1, 12))))
    return texts[:count]
