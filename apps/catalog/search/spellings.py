"""Ways of writing one word that a stemmer takes for two words."""

# A stemmer knows an “s” for a plural behind a vowel only, and not in “us”. No rule tells TVs
# from GPS: these are what shops sell.
_PLURALS = (
    "cctv cctvs, cd cds, cpu cpus, dvd dvds, dvr dvrs, gpu gpus, hdd hdds, hdtv hdtvs,"
    " kvm kvms, lcd lcds, nvr nvrs, pc pcs, psu psus, ssd ssds, tv tvs, vcr vcrs"
)
# British and American English. A shop writes one, and its suppliers the other.
_BRITISH_AND_AMERICAN = (
    "adaptor adapter, aluminium aluminum, analogue analog, catalogue catalog, centre center,"
    " colour color, coloured colored, cosy cozy, doughnut donut, fibre fiber, flavour flavor,"
    " flavoured flavored, grey gray, jewellery jewelry, licence license, litre liter,"
    " lustre luster, moisturiser moisturizer, mould mold, odour odor, organiser organizer,"
    " pyjamas pajamas, sanitiser sanitizer, stabiliser stabilizer, theatre theater, tyre tire,"
    " vapour vapor, whisky whiskey, woollen woolen, yoghurt yogurt"
)


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(one, other) for one, other in map(str.split, text.split(","))]


_ENGLISH = _pairs(_BRITISH_AND_AMERICAN)
PAIRS = [
    *_pairs(_PLURALS),
    *_ENGLISH,
    *((f"{one}s", f"{other}s") for one, other in _ENGLISH),
]
_OTHERS = dict(PAIRS) | {other: one for one, other in PAIRS}


def other_spelling(word: str) -> str | None:
    """The other way of writing a word in lower case; of most there is none."""
    return _OTHERS.get(word)


def same_word(word: str) -> str:
    """A key that is the same of a word and its plural, where an “s” makes it, and of a word in
    both of its spellings. A short word may end in an “s”."""
    one = word.removesuffix("s") if len(word) > 3 else word
    return min(one, _OTHERS.get(one, one))
