"""How the engine takes text apart. Only what Elasticsearch and OpenSearch both have."""

from elasticsearch.dsl import analyzer, normalizer, token_filter, tokenizer

from apps.catalog.search.spellings import PAIRS

# PostgreSQL's own, so that both take the same words for one. “english” makes a gp of the GPS.
_stems = token_filter("stems", type="stemmer", language="porter2")
# Behind the stemmer, which stems these rules as well: so coloring and colouring are one, too.
_spellings = token_filter(
    "spellings",
    type="synonym",
    synonyms=[f"{one}, {other} => {one}" for one, other in PAIRS],
)
# What is typed beyond it is looked for in the whole words: suggesting.py.
LONGEST_BEGINNING = 15
_first_letters = token_filter(
    "first_letters", type="edge_ngram", min_gram=1, max_gram=LONGEST_BEGINNING
)
_pairs = token_filter(
    "pairs",
    type="shingle",
    min_shingle_size=2,
    max_shingle_size=2,
    output_unigrams=False,
    token_separator="",
)
_plain = ["lowercase", "asciifolding"]
# What words.py takes for a word, but for the parts of one with hyphens, which stand apart. The
# standard tokenizer joins StarTech.com, Get'r and A_1.
_words = tokenizer(
    "words",
    type="pattern",
    pattern=r"[^\p{L}\p{M}\p{N}.]+|\.(?!\p{Nd})|(?<!\p{Nd})\.",
)

# Model numbers are taken apart when they are searched for (asking.py), and beside the texts
# (document.py). An index that does it in the texts themselves, by word_delimiter_graph, was
# measured, and lost 0.05 of the nDCG.
text = analyzer("text", tokenizer=_words, filter=[*_plain, _stems, _spellings])
# To look for one of PostgreSQL's stems, which know nothing of spellings.
stems = analyzer("stems", tokenizer=_words, filter=[*_plain, _stems])
# Of a mouse pad “mousepad”, for who writes it so.
pairs = analyzer("pairs", tokenizer=_words, filter=[*_plain, _pairs, _stems])
as_written = analyzer("as_written", tokenizer=_words, filter=_plain)
beginnings = analyzer("beginnings", tokenizer=_words, filter=[*_plain, _first_letters])
one_word = normalizer("one_word", filter=_plain)
