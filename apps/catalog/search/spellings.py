"""Ways of writing one word that a stemmer takes for two words.

An engine holds both for one from the making of its index on; a change here changes its mapping,
so that `init_search` makes a new one.
"""

# A stemmer knows an “s” for a plural behind a vowel only, and not in “us”. No rule tells TVs
# from GPS: these are what shops sell. Of pcs there are pieces.
_PLURALS = (
    "cctv cctvs, cd cds, cpu cpus, dvd dvds, dvr dvrs, gpu gpus, hdd hdds, hdtv hdtvs,"
    " kvm kvms, lcd lcds, nvr nvrs, psu psus, ssd ssds, tv tvs, vcr vcrs"
)
# British and American English. A shop writes one, and its suppliers the other. An organizer is
# not here, whose stem is that of an organ. A litre finds what is literal, and a tyre what is
# tired: few shops have that, and liter and tire find it anyway.
_BRITISH_AND_AMERICAN = (
    "adaptor adapter, aluminium aluminum, analogue analog, catalogue catalog, centre center,"
    " colour color, coloured colored, doughnut donut, fibre fiber, flavour flavor,"
    " flavoured flavored, grey gray, jewellery jewelry, licence license, litre liter,"
    " mould mold, odour odor, pyjama pajama, theatre theater, tyre tire, vapour vapor,"
    " whisky whiskey, woollen woolen, yoghurt yogurt"
)


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(one, other) for one, other in map(str.split, text.split(","))]


def plural(word: str) -> str:
    """Of a word that has a regular one."""
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2] not in "aeiou" else f"{word}s"


_ENGLISH = _pairs(_BRITISH_AND_AMERICAN)
# What comes behind the stemmer needs no plurals of these.
PAIRS = [*_pairs(_PLURALS), *_ENGLISH]
_BOTH = [*PAIRS, *((plural(one), plural(other)) for one, other in _ENGLISH)]
_OTHERS = dict(_BOTH) | {other: one for one, other in _BOTH}


def other_spelling(word: str) -> str | None:
    """The other way of writing a word in lower case; of most there is none."""
    return _OTHERS.get(word)


def same_word(word: str) -> str:
    """A key that is the same of a word and its plural, where an “s” makes it, and of a word in
    both of its spellings. A short word may end in an “s”."""
    one = word.removesuffix("s") if len(word) > 3 else word
    return min(one, _OTHERS.get(one, one))
