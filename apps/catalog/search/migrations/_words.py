"""Functions that take texts apart: into words, into stems, and into what a thing is for."""

# Written out, as a migration does the same for ever: when parts.py has another word, a new
# migration makes the function anew, and refreshes the rows of SearchText.
_PARTS = (
    "accessories accessory arm arms backpack backpacks bag bags batteries battery bracket"
    " brackets cabinet cabinets cable cables cap caps case cases casing casings charger"
    " chargers cooler coolers cord cords cover covers cradle cradles dock docks enclosure"
    " enclosures filter filters folio folios holder holders holster holsters hood hoods"
    " label labels lamp lamps lanyard lanyards lock locks mat mats mount mounts pad pads"
    " part parts pillow pillows pouch pouches protector protectors remote remotes rest rests"
    " riser risers roller rollers shelf shelves spare spares stand stands strap straps tray"
    " trays trolley trolleys wallet wallets warranties warranty"
)

CREATE = r"""
-- Without accents and case, m² as m2, and the last s of a Greek word as any other: like words.py.
CREATE FUNCTION search_folded(written text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT translate(
        lower(public.unaccent(written)),
        'ς⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉', 'σ01234567890123456789'
    )
$$;

-- Its letters and digits. Only the dot of a decimal joins: 15.6.
CREATE FUNCTION search_words(written text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT trim(regexp_replace(
        public.search_folded(written),
        '(?:[^[:alnum:].]|(?<![0-9])\.|\.(?![0-9]))+', ' ', 'g'
    ))
$$;

-- Behind the words what a model number may also be written like: DIR-655 as dir655, HP364XL as
-- hp 364 xl, and USB3.0 as usb 3.0. A letter beside a number is mostly a unit, as in 5m.
CREATE FUNCTION search_plain(written text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT concat_ws(
        ' ',
        words,
        (
            SELECT string_agg(replace(found[1], '-', ''), ' ')
            FROM regexp_matches(
                public.search_folded(written),
                '[[:alnum:]]+(?:(?<=[0-9])\.(?=[0-9])[[:alnum:]]+)*'
                '(?:-[[:alnum:]]+(?:(?<=[0-9])\.(?=[0-9])[[:alnum:]]+)*)+',
                'g'
            ) AS found
        ),
        (
            SELECT string_agg(regexp_replace(
                word,
                '(?<=[[:alpha:]])(?=[0-9])|(?<=[0-9])(?=[[:alpha:]])', ' ', 'g'
            ), ' ')
            FROM string_to_table(words, ' ') AS word
            WHERE word ~ '[[:alpha:]]{2}[0-9]|[0-9][[:alpha:]]{2}'
                '|[[:alpha:]][0-9.]+[[:alpha:]]|[0-9][[:alpha:]]+[0-9]'
        )
    )
    FROM public.search_words(written) AS words
$$;

-- Written together, and its parts with digits: ICE-1399 as ice1399 and 1399. A part of letters
-- alone is no word: half of the shop may begin with it.
CREATE FUNCTION search_sku(sku text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT concat_ws(' ', replace(words, ' ', ''), (
        SELECT string_agg(part, ' ') FROM string_to_table(words, ' ') AS part
        WHERE part ~ '[0-9]' AND part <> words
    ))
    FROM public.search_words(sku) AS words
$$;

CREATE FUNCTION search_stems(written text) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('pg_catalog.english', public.search_plain(written))
$$;

CREATE FUNCTION search_shelf(category_id bigint) RETURNS text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE shelf AS (
        SELECT name, parent_id FROM public.catalog_category WHERE id = category_id
        UNION ALL
        SELECT above.name, above.parent_id
        FROM public.catalog_category AS above JOIN shelf ON above.id = shelf.parent_id
    )
    SELECT string_agg(name, ' ') FROM shelf
$$;

-- The stems of what it is made for: of a laptop lock and of a sleeve for laptops the laptop.
-- That is all behind “for”, and what stands before a part with at most one word between. A word
-- that stands elsewhere in the name, too, is none, unless it stood behind “for” first; nor is
-- the brand.
CREATE FUNCTION search_for_what(name text, brand text) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH words AS (
        SELECT
            segment, place, word,
            (ts_lexize('pg_catalog.english_stem', word))[1] AS stem,
            bool_or(word = 'for') OVER (PARTITION BY segment ORDER BY place) AS is_behind_for
        FROM
            regexp_split_to_table(
                name,
                '[][,;:()|]| [-\u2013\u2014+] |\mw/|\m(?:with|without|incl|including)\M',
                'i'
            ) WITH ORDINALITY AS segments(written, segment),
            string_to_table(public.search_words(written), ' ')
                WITH ORDINALITY AS words(word, place)
    ), judged AS (
        SELECT
            segment, place, stem, is_behind_for,
            coalesce(bool_or(word = ANY('{{PARTS}}')) OVER (
                PARTITION BY segment ORDER BY place ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING
            ), false) AS is_before_part
        FROM words
    )
    SELECT coalesce(array_agg(stem ORDER BY stem), '{}') FROM (
        SELECT stem FROM judged
        WHERE stem ~ '[[:alpha:]]'
            AND NOT stem = ANY((SELECT tsvector_to_array(public.search_stems(brand)))::text[])
        GROUP BY stem
        HAVING bool_and(is_behind_for OR is_before_part)
            OR (array_agg(is_behind_for ORDER BY segment, place))[1]
    ) AS made_for
$$;
""".replace("{PARTS}", _PARTS.replace(" ", ","))

DROP = """
DROP FUNCTION search_for_what(text, text);
DROP FUNCTION search_shelf(bigint);
DROP FUNCTION search_stems(text);
DROP FUNCTION search_sku(text);
DROP FUNCTION search_plain(text);
DROP FUNCTION search_words(text);
DROP FUNCTION search_folded(text);
"""
