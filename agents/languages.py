"""Which language a text is in, by its script and its smallest words; a text that tells neither is not guessed at."""

from __future__ import annotations

import re
from collections import Counter

# Words that hold no meaning and occur in nearly every sentence; those of several languages count for each.
_SMALL = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the and is are you your we our what when where how do does can i my it this that to of for with not have"
        " please will would on at be an from or if there was",
        "de": "der die das und ist sind sie ihr wir unser was wann wo wie kann ich mein es nicht haben ein eine mit für"
        " auf zu den dem bitte wird im von oder auch noch habe",
        "fr": "le la les et est sont vous votre nous notre quoi quand où comment puis je mon ma il ne pas avez un une "
        "avec pour sur des du au que qui dans ce s'il plaît ai",
        "es": "el la los las y es son usted su nosotros qué que cuándo dónde cómo puedo yo mi no tiene un una con para "
        "por en del al se está muy pero hay lo de tengo favor",
        "pt": "o a os as e é são você seu nós que quando onde como posso eu meu minha não tem um uma com para por em do"
        " da no na se está muito mas há obrigado tenho favor",
        "it": "il la i gli le e è sono voi vostro noi che quando dove come posso io mio mia non avete un una con per su"
        " del della al nel si anche ma c'è ho sono grazie favore",
        "nl": "de het een en is zijn u uw wij ons wat wanneer waar hoe kan ik mijn niet heeft met voor op van te dat er"
        " ook maar bij naar graag hebben",
    }.items()
}

_SCRIPTS = (
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
)

KNOWN = frozenset(_SMALL) | {language for language, _ in _SCRIPTS}

# Fewer small words than this tell nothing: "OK", "Taxi?", a name.
_ENOUGH = 2

_WORD = re.compile(r"\b[^\W\d_]+(?:'[^\W\d_]+)?\b")


def language_of(text: str) -> str:
    """A code of KNOWN, or nothing where the text does not tell. Russian stands for all of the Cyrillic script."""
    letters = _WORD.findall(text.lower())
    for language, script in _SCRIPTS:  # Japanese before Chinese: it writes both
        if len(script.findall(text)) > sum(map(len, letters)) / 2:
            return language
        if language == "ja" and script.search(text):
            return language
    counts = Counter({code: sum(word in small for word in letters) for code, small in _SMALL.items()})
    [(first, most), (_, next_most)] = counts.most_common(2)
    return first if most >= _ENOUGH and most > next_most else ""
