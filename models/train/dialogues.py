"""Stories -> conversations with a story-teller, without a model: every answer is text of the corpus.

    python dialogues.py --corpus DIR --out dialogues.jsonl [--count 5000] [--seed 1] [--show 5]

A line is {"messages": [{"role": "user", "content": ...}, {"role": "assistant", "content": ...}, ...]}. What the user
asks is derived from the story that answers: its creatures, its names, its first sentence, its title, its moral. So the
answer follows from the question, and a later answer from the earlier ones.
"""
import argparse
import json
import random
import re
from collections import Counter, defaultdict
from pathlib import Path

import phrases
from corpus import Document, read_groups

LONGEST_STORY = 24_000    # bytes; longer ones open too slowly
LONGEST_DIALOGUE = 3_000  # characters, so that a dialogue fits the context of 1,024 tokens

NAMED = re.compile(r"\b(an?(?: [a-z]+){1,3}) (?:named|called) ([A-Z][a-z]+)\b")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b")  # capitalized in the middle of a sentence
WORD = re.compile(r"[A-Za-z]+")
SENTENCE_END = re.compile(r"(?<=[.!?])(?<!Mr\.)(?<!Mrs\.)(?<!Dr\.)(?<!St\.)[\"']?\s+(?=[\"'A-Z])")


def sentences(paragraph: str) -> list[str]:
    cuts = [m.end() for m in SENTENCE_END.finditer(paragraph)]
    return [paragraph[a:b].strip() for a, b in zip([0, *cuts], [*cuts, len(paragraph)])]


def passages(text: str, rng: random.Random) -> list[str]:
    """The story in pieces to be told one by one: whole paragraphs where they are short enough."""
    pieces, piece = [], ""
    target = rng.randint(250, 600)
    for paragraph in re.split(r"\n\n+", text.strip()):
        for i, s in enumerate(sentences(paragraph)):
            piece += ("" if not piece else " " if i else "\n\n") + s
            if len(piece) > 2 * target or (len(piece) > target and i % 2 and s[-1] in ".!?"):
                pieces, piece = [*pieces, piece], ""
        if len(piece) > target:
            pieces, piece = [*pieces, piece], ""
    return [*pieces, piece] if piece else pieces


def article(noun: str) -> str:
    if noun in phrases.ONLY_ONE:
        return "the " + noun
    return ("an " if noun[0] in "aeiou" and not noun.startswith("uni") else "a ") + noun


class Story:
    def __init__(self, document: Document):
        self.text, self.book = document.text.strip(), document.book
        self.beginning = self.text[:700]
        self.subjects = self.find_subjects()       # "a fox", most prominent first
        self.names = self.find_names()             # "Lily"
        named = NAMED.search(self.beginning)       # "a little girl", "Lily"
        self.named = named.groups() if named and named[2] not in phrases.NOT_NAMES else None
        self.title = self.clean_title(document.title)
        self.moral = self.find_moral()

    def find_subjects(self) -> list[str]:
        counts = Counter(w.lower() for w in WORD.findall(self.text[:6000]))
        early = {w.lower() for w in WORD.findall(self.beginning[:250])}  # who asked for a fox meets it at once
        found = [(n not in phrases.COMMON, counts[n], n) for n in phrases.NOUNS if n in early and counts[n] >= 2]
        return [article(n) for _, _, n in sorted(found, reverse=True)]

    def find_names(self) -> list[str]:
        counts = Counter(NAME.findall(self.text[:6000]))
        return [n for n, c in counts.most_common(4) if c >= 3 and n in self.beginning
                and n.lower() not in phrases.NOUNS and n not in phrases.NOT_NAMES]

    @staticmethod
    def clean_title(title: str) -> str:
        title = title.split(":")[-1].strip().rstrip(".")
        if not re.fullmatch(r"[A-Za-z' ,-]{4,45}", title) or re.search(r"(?i)\b(chapter|story of the \w+ voyage)\b", title):
            return ""
        small = {"and", "the", "a", "an", "of", "in", "to", "who", "that", "on", "with", "for", "at", "or", "by"}
        words = title.lower().split()
        return " ".join(w if i and w in small else w[:1].upper() + w[1:] for i, w in enumerate(words))

    def find_moral(self) -> str:
        last = self.text.split("\n\n")[-1]
        is_fable = "Aesop" in self.book and "\n\n" in self.text
        return last if is_fable and len(last) < 120 and not last.startswith(('"', "'")) else ""

    def about(self, text: str) -> str:
        """Who is in `text`, as an answer to "Who is in the story?"; empty if nobody is known."""
        if self.named and self.named[1] in text:
            return f"It is about {self.named[0]} named {self.named[1]}."
        words = {w.lower() for w in WORD.findall(text)}
        who = [s for s in self.subjects if s.split()[-1] in words][:2] or [n for n in self.names if n in text][:2]
        return f"It is about {' and '.join(who)}." if who else ""


class Teller:
    """Writes one conversation at a time."""

    def __init__(self, groups: dict[str, list[Document]], seed: int):
        self.rng = random.Random(seed)
        plain = [Story(d) for d in groups["simple"] if len(d.text) <= LONGEST_STORY]
        tales = [Story(d) for d in groups["tales"] if len(d.text) <= LONGEST_STORY]
        # Half of the conversations tell stories for small children, which such a small model tells best.
        self.pools = [[s for s in p if s.subjects or s.names or s.named] for p in (plain, tales)]
        self.by_subject = defaultdict(list)
        for story in self.pools[0] + self.pools[1]:
            for subject in story.subjects[:1]:
                self.by_subject[subject].append(story)

    def pick(self, options: list[str]) -> str:
        return self.rng.choice(options)

    def any_story(self) -> Story:
        return self.rng.choice(self.pools[self.rng.random() < 0.5])

    def casual(self, line: str) -> str:
        """People type without capitals and full stops."""
        if self.rng.random() < 0.25:
            return line.rstrip(".") if line.startswith("I ") else line[0].lower() + line[1:].rstrip(".")
        return line

    def wish(self, story: Story) -> str:
        """What the story is about, in the words of somebody who asks for it: "a fox and a crow"."""
        kinds = []
        if story.named:
            kinds += [f"{story.named[0]} named {story.named[1]}", story.named[0]]
        if story.subjects:
            kinds += [story.subjects[0]] * 3
        if len(story.subjects) > 1:
            kinds += [f"{story.subjects[0]} and {story.subjects[1]}"]
        if story.names:
            kinds += [story.names[0]]
        return self.pick(kinds)

    def opening(self, story: Story) -> tuple[str, str, str]:
        """-> what the user says, the text before the answer that the user gave, the story from the answer on"""
        first, text = sentences(story.text.split("\n\n")[0])[0], story.text
        if self.rng.random() < 0.12 and 20 < len(first) < 160 and len(text) > len(first) + 100:
            return self.pick(phrases.CONTINUE_MINE).format(first), first, text[len(first):].strip()
        if self.rng.random() < 0.12:
            return self.casual(self.pick(phrases.ANY_STORY)), "", text
        if story.title and self.rng.random() < 0.08:
            return self.casual(self.pick(phrases.BY_TITLE).format(story.title)), "", text
        wish = self.wish(story)
        line = self.pick(phrases.ABOUT).format(wish)
        return self.casual(line[0].upper() + line[1:]), "", text

    def tell(self, story: Story, turns: list[tuple[str, str]], opening: tuple[str, str, str]) -> None:
        ask, before, text = opening
        short = len(text) < 900 and self.rng.random() < 0.5
        pieces = [text] if short else passages(text, self.rng)
        turns.append((ask, pieces[0]))
        told, at = before + " " + pieces[0], 1
        for _ in range(self.rng.choice((0, 1, 1, 2, 3))):
            dice, name = self.rng.random(), next((n for n in story.names if at < len(pieces) and n in pieces[at]), None)
            if dice < 0.08 and story.about(told):
                turns.append((self.casual(self.pick(phrases.WHO)), story.about(told)))
            elif dice < 0.15 and story.title:
                turns.append((self.casual(self.pick(phrases.TITLE)), f"It is called {story.title}."))
            elif at >= len(pieces):  # told to the end
                if story.moral and story.moral in told:
                    turns.append((self.casual(self.pick(phrases.MORAL)), story.moral))
                break
            elif dice < 0.25 and at + 1 < len(pieces) and self.is_linked(story, told, pieces[-1]):
                turns.append((self.casual(self.pick(phrases.ENDING)), pieces[-1]))
                at = len(pieces)
            else:
                line = self.pick(phrases.NAMED_NEXT).format(name) if name and dice < 0.45 else self.pick(phrases.NEXT)
                turns.append((self.casual(line), pieces[at]))
                told, at = told + " " + pieces[at], at + 1

    @staticmethod
    def is_linked(story: Story, told: str, ending: str) -> bool:
        """The ending speaks of somebody who was in what was told."""
        who = story.names + [s.split()[-1] for s in story.subjects[:2]] + ([story.named[1]] if story.named else [])
        return len(ending) > 60 and any(w.lower() in told.lower() and w.lower() in ending.lower() for w in who)

    def dialogue(self) -> list[tuple[str, str]]:
        turns: list[tuple[str, str]] = []
        story = self.any_story()
        opening = self.opening(story)
        if self.rng.random() < 0.18:  # a greeting, and the wish as a mere noun after it
            turns.append((self.casual(self.pick(phrases.HELLO)), self.pick(phrases.HELLO_ANSWER)))
            if self.rng.random() < 0.6:
                wish = self.wish(story)
                line = self.pick(phrases.BARE).format(wish)
                opening = (self.casual(line[0].upper() + line[1:]), "", story.text)
        self.tell(story, turns, opening)
        others = [s for s in self.by_subject[story.subjects[0]] if s is not story] if story.subjects else []
        if others and self.rng.random() < 0.2:
            self.tell(other := self.rng.choice(others), turns,
                      (self.casual(self.pick(phrases.ANOTHER).format(story.subjects[0])), "", other.text))
        elif self.rng.random() < 0.12:
            thanks, answer = self.pick(phrases.THANKS)
            turns.append((self.casual(thanks), answer))
        kept, size = [], 0
        for ask, answer in turns:
            size += len(ask) + len(answer)
            if size > LONGEST_DIALOGUE:
                break
            kept.append((ask, answer))
        return kept


def make(groups: dict[str, list[Document]], count: int, seed: int) -> list[list[dict]]:
    teller, dialogues, seen = Teller(groups, seed), [], set()
    while len(dialogues) < count:
        turns = teller.dialogue()
        key = tuple(turns)
        if not turns or key in seen or any(not a.strip() or not b.strip() for a, b in turns):
            continue
        seen.add(key)
        dialogues.append([m for ask, answer in turns for m in
                          ({"role": "user", "content": ask}, {"role": "assistant", "content": answer})])
    return dialogues


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--count", type=int, default=5000)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--show", type=int, default=0, help="print so many of them")
    a = args.parse_args()
    dialogues = make(read_groups(a.corpus), a.count, a.seed)
    a.out.write_text("".join(json.dumps({"messages": d}) + "\n" for d in dialogues), encoding="utf-8")
    turns = Counter(len(d) // 2 for d in dialogues)
    print(f"{len(dialogues):,} dialogues, {sum(len(m['content']) for d in dialogues for m in d):,} characters, "
          f"turns {dict(sorted(turns.items()))}")
    for d in random.Random(a.seed).sample(dialogues, a.show):
        print("\n" + "\n".join(f"{m['role']}: {m['content']}" for m in d))


if __name__ == "__main__":
    main()
